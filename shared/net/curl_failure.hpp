#pragma once

// What libcurl's failures are called here: codes of http_client.hpp.

#include <curl/curl.h>

#include <string_view>

#include "shared/base/problem.hpp"

namespace synapsex::net {

struct FailureName {
    Kind kind;
    std::string_view code;
};

// `verdict` is OpenSSL's on the chain, as of CURLINFO_SSL_VERIFYRESULT.
FailureName failure_name_of(CURLcode result, long verdict);

}  // namespace synapsex::net
