#include "controlplane/cli/code_points.hpp"

#include <algorithm>

#include "controlplane/cli/code_point_tables.hpp"
#include "shared/base/utf8.hpp"

namespace synapsex::cli {

namespace {

template <class Ranges>
bool contains(const Ranges& ranges, char32_t code_point) {
    const auto range = std::ranges::lower_bound(ranges, code_point, {}, &CodePointRange::last);
    return range != ranges.end() && range->first <= code_point;
}

char32_t decode(std::string_view sequence) {
    const auto lead = static_cast<unsigned char>(sequence.front());
    if (sequence.size() == 1) return lead;
    char32_t code_point = lead & (0x7Fu >> sequence.size());
    for (const char byte : sequence.substr(1))
        code_point = (code_point << 6) | (static_cast<unsigned char>(byte) & 0x3Fu);
    return code_point;
}

}  // namespace

Step first_step(std::string_view text) {
    const auto size = utf8_sequence_size(text);
    if (size == 0) return {.bytes = 1, .code_point = std::nullopt};
    return {.bytes = size, .code_point = decode(text.substr(0, size))};
}

bool is_unsafe(char32_t code_point) {
    if (code_point < 0x80) return code_point < 0x20 || code_point == 0x7F;
    return contains(kUnsafe, code_point);
}

std::size_t column_count(char32_t code_point) {
    if (code_point < 0x300) return 1;  // nothing below combines, and most text is here
    if (contains(kZeroWidth, code_point)) return 0;
    return contains(kDoubleWidth, code_point) ? 2 : 1;
}

}  // namespace synapsex::cli
