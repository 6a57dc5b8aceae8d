#include "agent/plugins/telemetry/rates.hpp"

#include <algorithm>

namespace synapsex::telemetry {
namespace {

using Counters = std::vector<platform::DeviceCounters>;

// In floating point: sums of deltas of 64 bits do not fit 64 bits, and a rate needs no more digits.
double advance_of(std::uint64_t before, std::uint64_t after) {
    return after > before ? static_cast<double>(after - before) : 0.0;
}

std::uint64_t to_u64_capped(double number) {
    constexpr double kMax = 9.2e18;  // below 2^63: beyond any machine, and every reader can hold it
    return static_cast<std::uint64_t>(std::min(number + 0.5, kMax));
}

// The kernel lists devices in one order, so the same position is nearly always the right one.
const platform::DeviceCounters* find_device(
    const Counters& counters, const std::string& name, std::size_t position
) {
    if (position < counters.size() && counters[position].name == name) return &counters[position];
    const auto found = std::find_if(counters.begin(), counters.end(), [&](const auto& device) {
        return device.name == name;
    });
    return found == counters.end() ? nullptr : &*found;
}

void set_cpu_shares(
    const platform::CpuTimes& before, const platform::CpuTimes& after, TelemetrySample& sample
) {
    // Each by itself: iowait is known to go back, and must not take the others with it.
    const auto busy = advance_of(before.busy, after.busy);
    const auto iowait = advance_of(before.iowait, after.iowait);
    const auto steal = advance_of(before.steal, after.steal);
    const auto all = busy + iowait + steal + advance_of(before.idle, after.idle);
    if (all == 0.0) return;
    const auto permille = [&](double part) {
        return static_cast<std::uint32_t>(part / all * 1000 + 0.5);
    };
    sample.cpu_busy_permille = permille(busy);
    sample.cpu_iowait_permille = permille(iowait);
    sample.cpu_steal_permille = permille(steal);
}

}  // namespace

ByteRates byte_rates(
    const Counters& before, const Counters& after, std::chrono::microseconds span
) {
    double in_bytes = 0;
    double out_bytes = 0;
    for (std::size_t i = 0; i < after.size(); ++i) {
        const auto* earlier = find_device(before, after[i].name, i);
        if (!earlier) continue;
        in_bytes += advance_of(earlier->in_bytes, after[i].in_bytes);
        out_bytes += advance_of(earlier->out_bytes, after[i].out_bytes);
    }
    const auto seconds = std::chrono::duration<double>{span}.count();
    return {to_u64_capped(in_bytes / seconds), to_u64_capped(out_bytes / seconds)};
}

TelemetrySample make_sample(
    const platform::Reading& before, const platform::Reading& after, std::chrono::microseconds span
) {
    TelemetrySample sample;
    sample.load1_centi = after.load1_centi;
    sample.load5_centi = after.load5_centi;
    sample.load15_centi = after.load15_centi;
    if (before.cpu && after.cpu) set_cpu_shares(*before.cpu, *after.cpu, sample);
    sample.memory_total_bytes = after.memory_total_bytes;
    sample.memory_available_bytes = after.memory_available_bytes;
    sample.swap_total_bytes = after.swap_total_bytes;
    sample.swap_used_bytes = after.swap_used_bytes;
    const auto disks = byte_rates(before.disks, after.disks, span);
    sample.disk_read_bytes_per_second = disks.in_bytes_per_second;
    sample.disk_write_bytes_per_second = disks.out_bytes_per_second;
    const auto links = byte_rates(before.links, after.links, span);
    sample.network_receive_bytes_per_second = links.in_bytes_per_second;
    sample.network_transmit_bytes_per_second = links.out_bytes_per_second;
    sample.filesystem_used_permille_max = after.filesystem_used_permille_max;
    sample.processes = after.processes;
    sample.uptime_seconds = after.uptime_seconds;
    return sample;
}

}  // namespace synapsex::telemetry
