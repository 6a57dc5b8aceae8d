#pragma once

// Quantities as people read them, and durations as people write them.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace synapsex::cli {

// "512 B", "1.9 GiB", "120 GiB": at most three digits, powers of 1024.
std::string format_bytes(std::int64_t bytes);
// The same for what is known to about 1 %: "1.9 GiB", "28 GiB".
std::string format_bytes_roughly(std::int64_t bytes);
// "1.9 MiB/s".
std::string format_rate(std::int64_t bytes_per_second);
// "1,432".
std::string format_count(std::int64_t count);
// `digits` after the point: "0.42", "97.5".
std::string format_number(double number, int digits);
std::string format_percent(double percent);
// The two largest units: "3 d 4 h", "12 min 5 s", "42 s".
std::string format_duration(std::chrono::seconds duration);
// "just now", "3 min ago", "in 2 h"; "never" for no instant.
std::string format_relative(std::optional<Timestamp> instant, Timestamp now);
// "2026-01-02 03:04:05Z".
std::string format_instant(Timestamp instant);

// "90s", "15m", "1h30m", "2d", "1w"; cli.usage for anything else, zero, and above 10 years.
Result<std::chrono::seconds> parse_duration(const std::string& text);

}  // namespace synapsex::cli
