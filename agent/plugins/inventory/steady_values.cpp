#include "agent/plugins/inventory/steady_values.hpp"

#include <algorithm>

namespace synapsex::inventory {

std::uint64_t steady_use(
    std::uint64_t used, std::uint64_t size, std::optional<std::uint64_t> reported
) {
    const auto step = std::max<std::uint64_t>(size / 100, 1);
    used = std::min(used, size);
    if (reported) {
        const auto distance = std::max(used, *reported) - std::min(used, *reported);
        if (distance < step) return *reported;
    }
    const auto steps = used / step + (used % step >= step - step / 2 ? 1 : 0);
    return std::min(steps * step, size);
}

std::int64_t steady_boot_time(std::int64_t booted_at_us, std::optional<std::int64_t> reported) {
    constexpr std::int64_t kTolerance_us = 2'000'000;
    if (!reported) return booted_at_us;
    const auto distance = std::max(booted_at_us, *reported) - std::min(booted_at_us, *reported);
    return distance <= kTolerance_us ? *reported : booted_at_us;
}

}  // namespace synapsex::inventory
