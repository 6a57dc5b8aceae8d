#pragma once

// What a terminal makes of text: which code points are not for showing, and how many columns the
// others take.

#include <cstddef>
#include <optional>
#include <string_view>

namespace synapsex::cli {

// One step through text that may be broken: a code point, or a byte that is no UTF-8.
struct Step {
    std::size_t bytes = 1;
    std::optional<char32_t> code_point;  // nothing: a broken byte
};

// The text is not empty.
Step first_step(std::string_view text);

// Control characters (C0, DEL, C1), line breaks, bidirectional overrides, invisible format
// characters.
bool is_unsafe(char32_t code_point);

// 0, 1 or 2.
std::size_t column_count(char32_t code_point);

}  // namespace synapsex::cli
