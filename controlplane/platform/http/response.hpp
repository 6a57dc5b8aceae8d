#pragma once

// An api::Reply as HTTP/1.1 says it.

#include <string>
#include <string_view>

#include "controlplane/platform/api/router.hpp"
#include "shared/base/time.hpp"

namespace synapsex::http {

enum class Persistence {
    keep,           // HTTP/1.1: nothing to say
    keep_http_1_0,  // the older client has to be told
    close,
};

// The status line and all header fields, the empty line included. `fixed_fields` is put in as it is
// (Date and Server). Content-Length is that of the body, also where the body is not sent (HEAD); a
// header of the reply that would break the framing is left out and logged.
void append_response_head(
    std::string& out,
    const api::Reply& reply,
    Persistence persistence,
    std::string_view fixed_fields
);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string format_http_date(Timestamp instant);

}  // namespace synapsex::http
