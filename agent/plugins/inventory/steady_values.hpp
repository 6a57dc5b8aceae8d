#pragma once

// Values that move all the time, held still until a move matters: a section whose hash changed
// every minute would be sent every minute. Both keep the value that was reported last while the
// true one stays close to it, so a value at the edge of a step does not flicker between two.

#include <cstdint>
#include <optional>

namespace synapsex::inventory {

// Use of something of the given size in steps of 1 % of it: the reported value while the true one
// is less than a step away, else the nearest step. Telemetry carries how full the fullest file
// system is to the permille; the inventory need not.
std::uint64_t steady_use(
    std::uint64_t used, std::uint64_t size, std::optional<std::uint64_t> reported
);

// The instant of the boot is derived from the wall clock and moves when that is corrected, and by a
// second on some kernels for no reason: the reported one while the true one is within two seconds.
std::int64_t steady_boot_time(std::int64_t booted_at_us, std::optional<std::int64_t> reported);

}  // namespace synapsex::inventory
