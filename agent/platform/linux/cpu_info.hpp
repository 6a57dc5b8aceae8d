#pragma once

// The processors, from /proc/cpuinfo where it says (x86) and from /sys where it does not (ARM).

#include "agent/platform/linux/root.hpp"
#include "agent/platform/system_facts.hpp"

namespace synapsex::platform {

// The speed is nominal: what cpufreq calls the maximum, or the model's name ("@ 2.50GHz"), or on
// x86 half the BogoMIPS, which is the rate of its time stamp counter. Never cpuinfo's "cpu MHz",
// which is another number at each look.
Cpu read_cpu(const Root& root);

// Whether an x86 processor says that it is virtual; nullopt on other processors.
std::optional<bool> has_hypervisor_flag(const Root& root);

}  // namespace synapsex::platform
