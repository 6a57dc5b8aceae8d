#pragma once

// A background task that one replica at a time runs: the role is a lease in the database that the
// work changes. A replica that has the lease runs each interval and renews it now and then; one
// that has not asks for it now and then, and takes over at most kGrace, kAskAgain and the interval
// after the holder is gone.

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "controlplane/platform/leases/lease_store.hpp"
#include "controlplane/platform/tasks/periodic_task.hpp"
#include "shared/base/random.hpp"

namespace synapsex::leases {

class LeasedTask {
 public:
    // May run longer than the lease. Work that must not be done twice changes things under the
    // lease (LeaseStore::fence) and answers "lease.lost" when it was refused.
    using Work = std::function<Result<Done>(const Lease&)>;

    static constexpr std::chrono::seconds kGrace{30};
    static constexpr std::chrono::seconds kAskAgain{10};

    struct Parts {  // all outlive the task
        TaskBook& book;
        db::Database& database;
        const Clock& clock;
        Random& random;
    };

    LeasedTask(const TaskInfo& info, const Parts& parts, Work work);
    // Waits for the work under way and gives the role up.
    ~LeasedTask();

    // Runs as soon as it can, and asks for the lease first.
    void hurry();

 private:
    Result<TaskRun> run();
    Result<std::optional<Lease>> acquire();
    void release();
    Call call() const;

    const TaskInfo info_;
    const Parts parts_;
    const Work work_;
    const std::string holder_;
    std::optional<Lease> lease_;      // as it was when last asked for
    SteadyTime ask_at_{};             // the task's thread only, as lease_
    std::atomic<bool> is_hurried_{false};
    std::optional<PeriodicTask> task_;
};

}  // namespace synapsex::leases
