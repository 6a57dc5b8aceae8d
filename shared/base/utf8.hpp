#pragma once

// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <optional>
#include <string_view>

namespace synapsex {

// Bytes of the first code point (1 to 4), or 0 if the text is empty or starts with a broken one.
std::size_t utf8_sequence_size(std::string_view text);

// Code points in the text, or nullopt if any is broken.
std::optional<std::size_t> count_code_points(std::string_view text);

// Whether the text can name something: one line (no control characters of C0 and C1, no DEL, no
// U+2028 or U+2029), valid, and not only blanks.
bool is_name(std::string_view text);

}  // namespace synapsex
