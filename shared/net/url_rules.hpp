#pragma once

// What an address must look like before anything is sent to it.

#include <string>

#include "shared/base/result.hpp"

namespace synapsex::net {

// https:// to anywhere, http:// to this machine alone (127.0.0.0/8, ::1, localhost). There is no
// switch that lifts this: a bearer token in clear text on a network is a stolen token.
// Fails with kInvalidUrl or kInsecureUrl; user names in a URL are refused too, they end up in logs.
Result<Done> check_url(const std::string& url);

}  // namespace synapsex::net
