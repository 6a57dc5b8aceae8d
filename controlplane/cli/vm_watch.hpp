#pragma once

// `vms watch`: telemetry as it is sampled, until Ctrl-C.

#include <chrono>
#include <cstdint>
#include <string>

#include "controlplane/cli/context.hpp"

namespace synapsex::cli {

struct WatchOptions {
    std::string vm;  // id or name; empty: all VMs
    std::chrono::seconds interval{2};
    std::int64_t samples_max = 0;  // 0: until stopped
};

// On a terminal a picture that is drawn again in place; else, and with --json, a line for each
// sample. Ends well when the user stops it.
Result<Done> watch_vms(Context& context, const WatchOptions& options);

}  // namespace synapsex::cli
