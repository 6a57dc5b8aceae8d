#include "controlplane/services/auth/upkeep.hpp"

#include "shared/base/log.hpp"

namespace synapsex::auth {

namespace {

constexpr std::chrono::seconds kBudget{10};

}  // namespace

void Upkeep::start() {
    flushing_.emplace(kTasks[0], parts_.book, [this]() -> Result<TaskRun> {
        SYNAPSEX_CHECK(key_usage_.flush(call(kTasks[0].name)));
        return TaskRun::done;
    });
    pruning_.emplace(kTasks[1], parts_, [this](const leases::Lease& lease) {
        return tokens_.prune(call(lease.name));
    });
    sweeping_.emplace(kTasks[2], parts_, [this](const leases::Lease& lease) {
        return registration_.sweep(call(lease.name));
    });
    ending_.emplace(kTasks[3], parts_, [this](const leases::Lease& lease) -> Result<Done> {
        SYNAPSEX_CHECK(service_.limits().prune(call(lease.name)));
        return service_.sessions().prune(call(lease.name));
    });
    telling_.emplace(kTasks[4], parts_.book, [this]() -> Result<TaskRun> {
        using Minutes = RefusedSignIns::Minutes;
        SYNAPSEX_CHECK(service_.refused_sign_ins().flush(call(kTasks[4].name), Minutes::over));
        return TaskRun::done;
    });
    forgetting_.emplace(kTasks[5], parts_, [this](const leases::Lease& lease) {
        return service_.sessions().forget_successors(call(lease.name));
    });
}

void Upkeep::stop() {
    if (!flushing_) return;
    forgetting_.reset();
    telling_.reset();
    ending_.reset();
    sweeping_.reset();
    pruning_.reset();
    flushing_.reset();
    try {
        (void)key_usage_.flush(call(kTasks[0].name));
        (void)service_.refused_sign_ins().flush(
            call(kTasks[4].name), RefusedSignIns::Minutes::all
        );
    } catch (const std::exception& error) {
        // A database that is gone is no reason not to stop.
        log_warning(
            "key usage and refused sign-ins were not written", {{"error", error.what()}}
        );
    }
}

Call Upkeep::call(std::string_view task) const {
    return Call::system(std::string{task}, Deadline::after(parts_.clock, kBudget));
}

}  // namespace synapsex::auth
