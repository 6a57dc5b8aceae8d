#include "controlplane/cli/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace synapsex::cli {

namespace {

struct Unit {
    std::int64_t seconds;
    std::string_view shown;
    char written;
};

constexpr std::array kUnits{
    Unit{7 * 86400, "", 'w'},  // only written: "10 d" says more than "1 w 3 d"
    Unit{86400, "d", 'd'},
    Unit{3600, "h", 'h'},
    Unit{60, "min", 'm'},
    Unit{1, "s", 's'},
};

constexpr std::int64_t kDurationSecondsMax = std::int64_t{10} * 366 * 86400;

// The larger `count` units that say something, from the largest on.
std::string spell(std::int64_t seconds, int count) {
    std::string text;
    for (const auto& unit : kUnits) {
        if (unit.shown.empty()) continue;
        const auto number = seconds / unit.seconds;
        if (number == 0 && text.empty() && unit.seconds > 1) continue;
        if (number != 0 || text.empty()) {
            if (!text.empty()) text += ' ';
            text += std::to_string(number) + ' ' + std::string{unit.shown};
        }
        seconds -= number * unit.seconds;
        if (--count == 0) break;
    }
    return text;
}

}  // namespace

std::string format_number(double number, int digits) {
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(
        buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed, digits
    );
    return end.ec == std::errc{} ? std::string{buffer.data(), end.ptr} : "?";
}

std::string format_bytes(std::int64_t bytes) {
    constexpr std::array<std::string_view, 7> kNames{"B",   "KiB", "MiB", "GiB",
                                                     "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (std::abs(value) >= 1023.5 && unit + 1 < kNames.size()) {
        value /= 1024;
        ++unit;
    }
    // From 99.95 on the digit after the point would make four.
    const int digits = unit == 0 || std::abs(value) >= 99.95 ? 0 : 1;
    auto number = format_number(value, digits);
    if (number.ends_with(".0")) number.resize(number.size() - 2);
    return number + ' ' + std::string{kNames[unit]};
}

std::string format_rate(std::int64_t bytes_per_second) {
    return format_bytes(bytes_per_second) + "/s";
}

std::string format_count(std::int64_t count) {
    auto text = std::to_string(count);
    const std::size_t first = count < 0 ? 1 : 0;
    for (auto place = text.size(); place > first + 3;) {
        place -= 3;
        text.insert(place, ",");
    }
    return text;
}

std::string format_percent(double percent) { return format_number(percent, 1) + " %"; }

std::string format_duration(std::chrono::seconds duration) { return spell(duration.count(), 2); }

std::string format_relative(std::optional<Timestamp> instant, Timestamp now) {
    if (!instant) return "never";
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - *instant).count();
    if (seconds == 0) return "just now";
    return seconds > 0 ? spell(seconds, 1) + " ago" : "in " + spell(-seconds, 1);
}

std::string format_instant(Timestamp instant) {
    auto text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(instant));
    if (text.size() > 10) text[10] = ' ';
    return text;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
    std::int64_t total = 0;
    std::size_t next_unit = 0;  // units are written from the largest to the smallest, each once
    while (!text.empty()) {
        std::int64_t number = 0;
        const auto* end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, number);
        if (read.ec != std::errc{} || read.ptr == end || number < 0) return std::nullopt;
        while (next_unit < kUnits.size() && kUnits[next_unit].written != *read.ptr) ++next_unit;
        if (next_unit == kUnits.size()) return std::nullopt;
        const auto unit_seconds = kUnits[next_unit++].seconds;
        if (number > kDurationSecondsMax / unit_seconds) return std::nullopt;
        total += number * unit_seconds;
        text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()) + 1);
    }
    if (total == 0 || total > kDurationSecondsMax) return std::nullopt;
    return std::chrono::seconds{total};
}

}  // namespace synapsex::cli
