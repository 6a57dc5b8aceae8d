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

constexpr std::int64_t kDurationDaysMax = 3660;  // 10 years
constexpr std::int64_t kDurationSecondsMax = kDurationDaysMax * 86400;

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

// With a digit after the point where the number is below `tenths_below`.
std::string with_unit(std::int64_t bytes, double tenths_below) {
    constexpr std::array<std::string_view, 7> kNames{"B",   "KiB", "MiB", "GiB",
                                                     "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (std::abs(value) >= 1023.5 && unit + 1 < kNames.size()) {
        value /= 1024;
        ++unit;
    }
    const int digits = unit == 0 || std::abs(value) >= tenths_below ? 0 : 1;
    auto number = format_number(value, digits);
    if (number.ends_with(".0")) number.resize(number.size() - 2);
    return number + ' ' + std::string{kNames[unit]};
}

Problem unusable(const std::string& text, std::string_view why) {
    return {
        .kind = Kind::invalid,
        .code = "cli.usage",
        .detail = "\"" + text + "\" is " + std::string{why}};
}

Problem no_duration(const std::string& text) {
    return unusable(text, "no duration; write 30s, 15m, 1h or 2d.");
}

Problem too_long(const std::string& text) {
    return unusable(text, "too long; at most " + std::to_string(kDurationDaysMax) + "d.");
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
    // From 99.95 on the digit after the point would make four.
    return with_unit(bytes, 99.95);
}

std::string format_bytes_roughly(std::int64_t bytes) { return with_unit(bytes, 9.95); }

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

Result<std::chrono::seconds> parse_duration(const std::string& text) {
    std::int64_t total = 0;
    bool is_too_long = false;
    std::size_t next_unit = 0;  // units are written from the largest to the smallest, each once
    for (std::string_view rest = text; !rest.empty();) {
        std::int64_t number = 0;
        const auto* end = rest.data() + rest.size();
        const auto read = std::from_chars(rest.data(), end, number);
        if (read.ec == std::errc::invalid_argument || read.ptr == end || number < 0)
            return no_duration(text);
        while (next_unit < kUnits.size() && kUnits[next_unit].written != *read.ptr) ++next_unit;
        if (next_unit == kUnits.size()) return no_duration(text);
        const auto unit_seconds = kUnits[next_unit++].seconds;
        if (read.ec != std::errc{} || number > kDurationSecondsMax / unit_seconds)
            is_too_long = true;
        else
            total += number * unit_seconds;
        rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()) + 1);
    }
    if (is_too_long || total > kDurationSecondsMax) return too_long(text);
    if (total == 0) return no_duration(text);
    return std::chrono::seconds{total};
}

}  // namespace synapsex::cli
