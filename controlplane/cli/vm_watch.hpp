#pragma once

// `vms watch`: telemetry as it is sampled, until Ctrl-C.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "controlplane/cli/context.hpp"
#include "controlplane/services/vm_registry/api.hpp"

namespace synapsex::cli {

struct WatchOptions {
    std::string vm;  // id or name; empty: the first VMs of the list
    std::optional<vm_registry::State> state{};  // of a list, only those in this state
    std::chrono::seconds interval{2};
    std::int64_t samples_max = 0;  // 0: until stopped
};

// A list is followed up to this many VMs, because each costs the server a request twice a minute;
// a remark says so when there are more.
inline constexpr std::int64_t kVmsWatchedMax = 20;

// On a terminal a picture that is drawn again in place; else, and with --json, a line for each
// sample, never more than `samples_max`. Ends well when the user stops it, unless samples that were
// asked for are still to come: cli.interrupted, cli.terminated.
Result<Done> watch_vms(Context& context, const WatchOptions& options);

}  // namespace synapsex::cli
