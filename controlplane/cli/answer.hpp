#pragma once

// What stands in an answer's headers.

#include <chrono>
#include <optional>
#include <string>

#include "shared/net/http_client.hpp"

namespace synapsex::cli {

// The request id that the server gave, or empty.
std::string request_id_of(const net::HttpResponse& response);

std::optional<std::chrono::seconds> retry_after_of(const net::HttpResponse& response);

// The cursor in `Link: <…?cursor=…>; rel="next"` (RFC 8288), how bare arrays are continued.
std::optional<std::string> next_cursor_of(const net::HttpResponse& response);

}  // namespace synapsex::cli
