#pragma once

// Field values of a request's head (RFC 9110, section 5).

#include <optional>
#include <string>
#include <string_view>

#include "controlplane/platform/http/server.hpp"

namespace synapsex::api_gateway {

// Without the spaces and tabs around it.
std::string_view trimmed(std::string_view text);
// Of ASCII letters.
bool equals_ignoring_case(std::string_view left, std::string_view right);
// All values of one name, as the one list that they are; nullopt without any.
std::optional<std::string> list_header(
    const http::RequestHead& head, std::string_view lower_case_name
);
// What of a foreign text can stand in a list or a log: its first `size_max` bytes, those that are
// no printable ASCII as question marks.
std::string printable(std::string_view text, std::size_t size_max);

}  // namespace synapsex::api_gateway
