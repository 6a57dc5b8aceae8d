#pragma once

// E-mail addresses as names of users.

#include <optional>
#include <string>
#include <string_view>

namespace synapsex::auth {

// The address in lower case (ASCII), or nullopt if it cannot be one: one '@' between a local part
// of 1 to 64 bytes and a domain of dotted labels, no spaces, no control characters. Whether mail
// arrives there is another question.
std::optional<std::string> normalize_email(std::string_view text);

}  // namespace synapsex::auth
