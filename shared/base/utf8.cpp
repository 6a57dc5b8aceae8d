#include "shared/base/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace synapsex {

namespace {

// Of one whole, valid sequence.
char32_t decode(std::string_view sequence) {
    constexpr unsigned kLeadMasks[] = {0x7F, 0x1F, 0x0F, 0x07};
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
    char32_t code_point = byte(0) & kLeadMasks[sequence.size() - 1];
    for (std::size_t i = 1; i < sequence.size(); ++i)
        code_point = (code_point << 6) | (byte(i) & 0x3FU);
    return code_point;
}

// Or means something else to a terminal than a character.
bool breaks_a_line(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

// Unicode's space separators (Zs).
bool is_blank(char32_t c) {
    return c == 0x20 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

// How many bytes at its start are ASCII: most text is, and eight are looked at at once.
std::size_t ascii_size(std::string_view text) {
    constexpr std::uint64_t kHighBits = 0x8080808080808080;
    std::size_t size = 0;
    for (std::uint64_t word = 0; text.size() - size >= sizeof word; size += sizeof word) {
        std::memcpy(&word, text.data() + size, sizeof word);
        if (word & kHighBits) break;
    }
    while (size < text.size() && static_cast<unsigned char>(text[size]) < 0x80) ++size;
    return size;
}

}  // namespace

std::size_t utf8_sequence_size(std::string_view text) {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const unsigned char second = byte(1);
    const bool is_overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool is_surrogate = lead == 0xED && second >= 0xA0;
    const bool is_beyond = lead == 0xF4 && second >= 0x90;
    return is_overlong || is_surrogate || is_beyond ? 0 : size;
}

std::optional<std::size_t> count_code_points(std::string_view text) {
    std::size_t count = 0;
    for (;;) {
        const auto ascii = ascii_size(text);
        count += ascii;
        text.remove_prefix(ascii);
        if (text.empty()) return count;
        const auto size = utf8_sequence_size(text);
        if (size == 0) return std::nullopt;
        text.remove_prefix(size);
        ++count;
    }
}

bool is_name(std::string_view text) {
    bool has_ink = false;
    while (!text.empty()) {
        const auto size = utf8_sequence_size(text);
        if (size == 0) return false;
        const auto code_point = decode(text.substr(0, size));
        if (breaks_a_line(code_point)) return false;
        has_ink = has_ink || !is_blank(code_point);
        text.remove_prefix(size);
    }
    return has_ink;
}

}  // namespace synapsex
