#pragma once

// Percent-encoding, query strings and form bodies.

#include <optional>
#include <string>
#include <string_view>

#include "controlplane/platform/api/codec.hpp"

namespace synapsex::api {

// nullopt for a "%" without two hex digits behind it and for a NUL, encoded or not.
std::optional<std::string> percent_decode(std::string_view text);
// All but RFC 3986 unreserved characters become %XX.
std::string percent_encode(std::string_view text);

// "a=1&b=two+words" decoded, in order; what has no "=" has an empty value. Serves query strings and
// application/x-www-form-urlencoded. At most 1000 parameters; Kind::invalid "request.malformed".
Result<Parameters> parse_parameters(std::string_view text);

}  // namespace synapsex::api
