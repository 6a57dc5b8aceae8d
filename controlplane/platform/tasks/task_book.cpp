#include "controlplane/platform/tasks/task_book.hpp"

#include "shared/base/log.hpp"

namespace synapsex {

namespace {

double seconds_of(const std::optional<Timestamp>& time) {
    if (!time) return 0;
    return static_cast<double>(to_micros(*time)) / 1e6;
}

}  // namespace

TaskEntry::TaskEntry(const TaskInfo& info, Metrics& metrics, const Clock& clock)
    : info_(info),
      clock_(clock),
      runs_(metrics.counter(
          "synapsex_task_runs_total", "Runs of background tasks, also those that failed.",
          {{"task", std::string{info.name}}}
      )),
      failures_(metrics.counter(
          "synapsex_task_failures_total", "Runs of background tasks that failed.",
          {{"task", std::string{info.name}}}
      )),
      state_{.info = info} {
    metrics.gauge(
        "synapsex_task_success_timestamp_seconds",
        "When a background task last succeeded in this process; 0: not yet.",
        [this] { return seconds_of(report().succeeded_at); }, {{"task", std::string{info.name}}}
    );
}

void TaskEntry::note_success() {
    runs_.add();
    const std::lock_guard lock{mutex_};
    state_.is_ours = true;
    state_.succeeded_at = clock_.now();
    state_.failing_since.reset();
}

void TaskEntry::note_failure(std::string_view why) {
    runs_.add();
    failures_.add();
    log_error("background task failed", {{"task", info_.name}, {"error", why}});
    const std::lock_guard lock{mutex_};
    state_.is_ours = true;
    if (!state_.failing_since) state_.failing_since = clock_.now();
}

void TaskEntry::note_elsewhere() {
    const std::lock_guard lock{mutex_};
    state_.is_ours = false;
    state_.failing_since.reset();
}

TaskReport TaskEntry::report() const {
    const std::lock_guard lock{mutex_};
    return state_;
}

TaskEntry& TaskBook::open(const TaskInfo& info) {
    const std::lock_guard lock{mutex_};
    const auto [found, is_new] = entries_.try_emplace(std::string{info.name});
    if (is_new) {
        auto kept = info;
        kept.name = found->first;  // the name may be somebody's who goes before the book
        found->second = std::make_unique<TaskEntry>(kept, metrics_, clock_);
    }
    return *found->second;
}

std::vector<TaskReport> TaskBook::report() const {
    const std::lock_guard lock{mutex_};
    std::vector<TaskReport> reports;
    for (const auto& [name, entry] : entries_) reports.push_back(entry->report());
    return reports;
}

}  // namespace synapsex
