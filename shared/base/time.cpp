#include "shared/base/time.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace synapsex {

namespace {

// Reads exactly `count` digits at `position`, or nullopt.
std::optional<int> digits(std::string_view text, std::size_t position, std::size_t count) {
    if (text.size() < position + count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const char c = text[position + i];
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

// "Z" or "+hh:mm" / "-hh:mm" that ends the text.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
    if (text == "Z" || text == "z") return std::chrono::minutes{0};
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
        return std::nullopt;
    const auto hours = digits(text, 1, 2);
    const auto minutes = digits(text, 4, 2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    const auto offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
    return text[0] == '-' ? -offset : offset;
}

}  // namespace

Timestamp SystemClock::now() const {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()
    );
}

SteadyTime SystemClock::steady_now() const { return std::chrono::steady_clock::now(); }

std::chrono::nanoseconds Deadline::remaining(const Clock& clock) const {
    if (instant_ == SteadyTime::max()) return std::chrono::nanoseconds::max();
    const auto now = clock.steady_now();
    return now >= instant_ ? std::chrono::nanoseconds{0} : instant_ - now;
}

std::string format_rfc3339(Timestamp instant) {
    const auto shown = std::clamp(instant, kInstantMin, kInstantMax);
    const auto day = std::chrono::floor<std::chrono::days>(shown);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{shown - day};
    std::array<char, 48> text{};
    int size = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count())
    );
    const auto fraction = static_cast<int>(time.subseconds().count());
    const auto used = static_cast<std::size_t>(size);
    if (fraction != 0)
        size += std::snprintf(text.data() + used, text.size() - used, ".%06d", fraction);
    std::string result(text.data(), static_cast<std::size_t>(size));
    result += 'Z';
    return result;
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
    // yyyy-mm-ddThh:mm:ss[.fraction](Z|+hh:mm|-hh:mm)
    const auto year = digits(text, 0, 4);
    const auto month = digits(text, 5, 2);
    const auto day = digits(text, 8, 2);
    const auto hour = digits(text, 11, 2);
    const auto minute = digits(text, 14, 2);
    const auto second = digits(text, 17, 2);
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    const bool is_separated = text[4] == '-' && text[7] == '-' && text[13] == ':' &&
                              text[16] == ':' && (text[10] == 'T' || text[10] == 't');
    if (!is_separated || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    const std::chrono::year_month_day date{
        std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
        std::chrono::day{static_cast<unsigned>(*day)}
    };
    if (!date.ok() || *year < 1) return std::nullopt;

    std::size_t position = 19;
    std::int64_t micros = 0;
    if (position < text.size() && text[position] == '.') {
        std::int64_t scale = 100'000;
        const auto first = ++position;
        for (; position < text.size() && text[position] >= '0' && text[position] <= '9';
             ++position) {
            micros += (text[position] - '0') * scale;
            scale /= 10;
        }
        if (position == first) return std::nullopt;
    }
    const auto offset = parse_offset(text.substr(position));
    if (!offset) return std::nullopt;
    return Timestamp{std::chrono::sys_days{date}.time_since_epoch()} + std::chrono::hours{*hour} +
           std::chrono::minutes{*minute} + std::chrono::seconds{*second} +
           std::chrono::microseconds{micros} - *offset;
}

std::int64_t to_micros(Timestamp instant) { return instant.time_since_epoch().count(); }

Timestamp from_micros(std::int64_t micros) { return Timestamp{std::chrono::microseconds{micros}}; }

}  // namespace synapsex
