#pragma once

// What an address must look like before anything is sent to it.

#include <cstdint>
#include <string>

#include "shared/base/result.hpp"

namespace synapsex::net {

// A URL in its parts, as libcurl reads it: what judges a URL and what connects to it
// must not read two hosts. Fails with kInvalidUrl, also for user names.
struct UrlParts {
    std::string scheme;     // lower case; any
    std::string authority;  // host and port as they are written
    std::string host;       // as libcurl will use it: "127.0.0.1" for "0x7f.1", "[::1]"
    std::uint16_t port = 0;
    std::string rest;  // path, query and fragment as they are written
};
Result<UrlParts> split_url(const std::string& url);

// https:// to anywhere, http:// to this machine alone (127.0.0.0/8, ::1, localhost). There is no
// switch that lifts this: a bearer token in clear text on a network is a stolen token.
// Fails with kInvalidUrl or kInsecureUrl; user names in a URL are refused too, they end up in logs.
Result<Done> check_url(const std::string& url);

}  // namespace synapsex::net
