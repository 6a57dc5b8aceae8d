#pragma once

// Fields of the kernel's text files: separated by white space, numbers in decimal.

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace synapsex::platform {

constexpr std::string_view kBlanks = " \t\r\n";

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::string_view trim(std::string_view text) {
    const auto begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Takes the next field off the front of `rest`; empty at the end.
constexpr std::string_view next_field(std::string_view& rest) {
    const auto begin = rest.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return rest = {};
    rest.remove_prefix(begin);
    const auto field = rest.substr(0, rest.find_first_of(kBlanks));
    rest.remove_prefix(field.size());
    return field;
}

// nullopt unless the text is digits and nothing else, of a number that fits.
inline std::optional<std::uint64_t> parse_number(std::string_view text, int base = 10) {
    std::uint64_t number = 0;
    const auto end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number, base);
    if (error != std::errc{} || stop != end || text.empty()) return std::nullopt;
    return number;
}

inline std::optional<std::uint64_t> next_number(std::string_view& rest) {
    return parse_number(next_field(rest));
}

// A number's whole part: "12345.67" is 12345.
inline std::optional<std::uint64_t> parse_whole_part(std::string_view text) {
    return parse_number(text.substr(0, text.find('.')));
}

constexpr std::uint64_t multiply_capped(std::uint64_t left, std::uint64_t right) {
    constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
    return right != 0 && left > kMax / right ? kMax : left * right;
}

constexpr std::uint64_t subtract_floored(std::uint64_t left, std::uint64_t right) {
    return left > right ? left - right : 0;
}

constexpr std::uint64_t add_capped(std::uint64_t left, std::uint64_t right) {
    constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
    return left > kMax - right ? kMax : left + right;
}

constexpr std::uint32_t to_u32_capped(std::uint64_t number) {
    constexpr auto kMax = std::numeric_limits<std::uint32_t>::max();
    return number > kMax ? kMax : static_cast<std::uint32_t>(number);
}

// "key : value" and "key: value", as in cpuinfo, meminfo and dpkg's status; empty key if there is
// no colon.
struct KeyValue {
    std::string_view key;
    std::string_view value;
};
constexpr KeyValue split_at_colon(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return {};
    return {trim(line.substr(0, colon)), trim(line.substr(colon + 1))};
}

}  // namespace synapsex::platform
