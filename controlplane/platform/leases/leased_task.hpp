#pragma once

// A background task that one replica at a time runs: the role is a lease in the database that the
// work changes. Each interval a replica takes or renews the lease, and runs if it got it; when a
// holder is gone, another takes over after at most the interval and kGrace.

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
    // lease (LeaseStore::fence).
    using Work = std::function<Result<Done>(const Lease&)>;

    static constexpr std::chrono::seconds kGrace{30};

    struct Parts {  // all outlive the task
        TaskBook& book;
        db::Database& database;
        const Clock& clock;
        Random& random;
    };

    LeasedTask(const TaskInfo& info, const Parts& parts, Work work);
    // Waits for the work under way and gives the role up.
    ~LeasedTask();

    void hurry() { task_->hurry(); }

 private:
    Result<TaskRun> run();
    Result<std::optional<Lease>> acquire();
    void release();
    Call call() const;

    const TaskInfo info_;
    const Parts parts_;
    const Work work_;
    const std::string holder_;
    std::optional<Lease> lease_;  // of the last run
    std::optional<PeriodicTask> task_;
};

}  // namespace synapsex::leases
