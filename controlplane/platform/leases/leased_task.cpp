#include "controlplane/platform/leases/leased_task.hpp"

#include "shared/base/log.hpp"

namespace synapsex::leases {

namespace {

constexpr std::size_t kHolderSize = 16;
constexpr std::chrono::seconds kBudget{5};
constexpr db::SystemScope kLeaseOfTask{"leases.task"};

}  // namespace

LeasedTask::LeasedTask(const TaskInfo& info, const Parts& parts, Work work)
    : info_(info),
      parts_(parts),
      work_(std::move(work)),
      holder_(parts.random.base62(kHolderSize)) {
    task_.emplace(info_, parts_.book, [this] { return run(); });
}

LeasedTask::~LeasedTask() {
    task_.reset();
    try {
        release();
    } catch (const std::exception& error) {
        // It ends by itself.
        log_warning("lease not released", {{"task", info_.name}, {"error", error.what()}});
    }
}

void LeasedTask::hurry() {
    is_hurried_ = true;
    task_->hurry();
}

Result<TaskRun> LeasedTask::run() {
    if (is_hurried_.exchange(false) || parts_.clock.steady_now() >= ask_at_) {
        const auto asked_at = parts_.clock.steady_now();
        SYNAPSEX_TRY(lease_, acquire());
        ask_at_ = asked_at + kAskAgain;
    }
    if (!lease_) return TaskRun::elsewhere;
    const auto done = work_(*lease_);
    if (done) return TaskRun::done;
    if (done.error().code != lease_lost().code) return done.error();
    lease_.reset();
    return TaskRun::elsewhere;
}

Result<std::optional<Lease>> LeasedTask::acquire() {
    using Found = std::optional<Lease>;
    return parts_.database.write(kLeaseOfTask, call(), [&](db::Session& session) -> Result<Found> {
        return LeaseStore{session}.acquire(info_.name, holder_, info_.interval + kGrace);
    });
}

void LeasedTask::release() {
    if (!lease_) return;
    (void)parts_.database.write(kLeaseOfTask, call(), [&](db::Session& session) -> Result<Done> {
        LeaseStore{session}.release(*lease_);
        return Done{};
    });
}

Call LeasedTask::call() const {
    return Call::system(std::string{info_.name}, Deadline::after(parts_.clock, kBudget));
}

}  // namespace synapsex::leases
