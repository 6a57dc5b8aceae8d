#include "agent/platform/linux/kernel_counters.hpp"

#include <algorithm>

#include "agent/platform/linux/fields.hpp"
#include "agent/platform/linux/line_reader.hpp"

namespace synapsex::platform {
namespace {

// "0.25" is 25, "1" is 100, anything else 0.
std::uint32_t parse_centi(std::string_view text) {
    const auto dot = text.find('.');
    const auto whole = parse_number(text.substr(0, dot));
    if (!whole) return 0;
    std::uint64_t fraction = 0;
    if (dot != std::string_view::npos) {
        const auto digits = text.substr(dot + 1, 2);
        fraction = parse_number(digits).value_or(0) * (digits.size() == 1 ? 10 : 1);
    }
    return to_u32_capped(add_capped(multiply_capped(*whole, 100), fraction));
}

struct MemoryInfo {
    std::uint64_t total = 0;
    std::uint64_t free = 0;
    std::optional<std::uint64_t> available;
    std::uint64_t buffers = 0;
    std::uint64_t cached = 0;
    std::uint64_t swap_total = 0;
    std::uint64_t swap_free = 0;
};

// In bytes.
MemoryInfo read_meminfo(const Root& root) {
    MemoryInfo info;
    LineReader lines{root.open("proc/meminfo")};
    while (const auto line = lines.next()) {
        auto [key, rest] = split_at_colon(*line);
        const auto kibibytes = next_number(rest);
        if (!kibibytes) continue;
        const auto bytes = multiply_capped(*kibibytes, 1024);
        if (key == "MemTotal") info.total = bytes;
        if (key == "MemFree") info.free = bytes;
        if (key == "MemAvailable") info.available = bytes;
        if (key == "Buffers") info.buffers = bytes;
        if (key == "Cached") info.cached = bytes;
        if (key == "SwapTotal") info.swap_total = bytes;
        if (key == "SwapFree") {
            info.swap_free = bytes;
            break;  // the last one of interest; some forty lines follow
        }
    }
    return info;
}

}  // namespace

void read_load(const Root& root, Reading& reading) {
    const auto text = root.read("proc/loadavg", 256);
    std::string_view rest{text};
    reading.load1_centi = parse_centi(next_field(rest));
    reading.load5_centi = parse_centi(next_field(rest));
    reading.load15_centi = parse_centi(next_field(rest));
}

void read_memory_use(const Root& root, Reading& reading) {
    const auto info = read_meminfo(root);
    // Kernels before 3.14, and some sandboxes, do not estimate it.
    const auto estimate = add_capped(info.free, add_capped(info.buffers, info.cached));
    reading.memory_total_bytes = info.total;
    reading.memory_available_bytes = std::min(info.available.value_or(estimate), info.total);
    reading.swap_total_bytes = info.swap_total;
    reading.swap_used_bytes = subtract_floored(info.swap_total, info.swap_free);
}

void read_uptime(const Root& root, Reading& reading) {
    const auto text = root.read("proc/uptime", 256);
    std::string_view rest{text};
    reading.uptime_seconds = parse_whole_part(next_field(rest)).value_or(0);
}

std::optional<CpuTimes> read_cpu_times(const Root& root) {
    LineReader lines{root.open("proc/stat")};
    const auto line = lines.next();
    if (!line) return std::nullopt;
    std::string_view rest{*line};
    if (next_field(rest) != "cpu") return std::nullopt;
    const auto user = next_number(rest);
    const auto nice = next_number(rest);
    const auto system = next_number(rest);
    const auto idle = next_number(rest);
    if (!user || !nice || !system || !idle) return std::nullopt;
    // Later kernels appended: what is not there was not counted. guest and guest_nice, which follow
    // these, are part of user and nice already.
    const auto iowait = next_number(rest).value_or(0);
    const auto irq = next_number(rest).value_or(0);
    const auto softirq = next_number(rest).value_or(0);
    const auto steal = next_number(rest).value_or(0);
    CpuTimes times{.busy = 0, .iowait = iowait, .steal = steal, .idle = *idle};
    for (const auto ticks : {*user, *nice, *system, irq, softirq})
        times.busy = add_capped(times.busy, ticks);
    return times;
}

Memory read_memory(const Root& root) {
    const auto info = read_meminfo(root);
    return {.total_bytes = info.total, .swap_total_bytes = info.swap_total};
}

std::int64_t read_booted_at_us(const Root& root) {
    constexpr std::uint64_t kSecondsMax = 253'402'300'799;  // the end of the year 9999
    LineReader lines{root.open("proc/stat")};
    while (const auto line = lines.next()) {
        std::string_view rest{*line};
        if (next_field(rest) != "btime") continue;
        const auto seconds = next_number(rest).value_or(0);
        return seconds > kSecondsMax ? 0 : static_cast<std::int64_t>(seconds) * 1'000'000;
    }
    return 0;
}

}  // namespace synapsex::platform
