#pragma once

// What /proc says about the machine as a whole at this moment.

#include "agent/platform/linux/root.hpp"
#include "agent/platform/system_facts.hpp"

namespace synapsex::platform {

// Load averages, memory and swap, processes, uptime: the members of `reading` of these names.
void read_load(const Root& root, Reading& reading);
void read_memory_use(const Root& root, Reading& reading);
void read_uptime(const Root& root, Reading& reading);

// nullopt unless /proc/stat starts with a readable "cpu" line.
std::optional<CpuTimes> read_cpu_times(const Root& root);

Memory read_memory(const Root& root);

// 0 if unknown. The kernel moves this instant when somebody sets the clock, and some kernels round
// it up or down from one moment to the next.
std::int64_t read_booted_at_us(const Root& root);

}  // namespace synapsex::platform
