#pragma once

// What background work there is and what has become of it: for /readyz and /metrics.
//
// module.cpp declares each task as a constant:
//
//   constexpr TaskInfo kPruneTelemetry{"vm_registry.prune_telemetry", 60s, Replicas::one};

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/metrics.hpp"
#include "shared/base/time.hpp"

namespace synapsex {

enum class Replicas {
    every,  // what lies in this process's memory
    one,    // a role: one at a time, under a lease (leased_task.hpp)
};

struct TaskInfo {
    std::string_view name;  // "<service>.<what>"
    std::chrono::milliseconds interval;
    Replicas replicas = Replicas::every;
};

struct TaskReport {
    TaskInfo info;
    bool is_ours = true;                         // false: another replica has the role
    std::optional<Timestamp> succeeded_at{};     // nullopt: not yet
    std::optional<Timestamp> failing_since{};    // nullopt: the last run succeeded
};

// One task's entry. Any thread.
class TaskEntry {
 public:
    TaskEntry(const TaskInfo& info, Metrics& metrics, const Clock& clock);

    void note_success();
    void note_failure(std::string_view why);  // also logs it
    void note_elsewhere();                    // another replica has the role
    TaskReport report() const;

 private:
    const TaskInfo info_;
    const Clock& clock_;
    Counter& runs_;
    Counter& failures_;
    mutable std::mutex mutex_;
    TaskReport state_;
};

// Any thread. Metrics and clock outlive it, it outlives the tasks.
class TaskBook {
 public:
    TaskBook(Metrics& metrics, const Clock& clock) : metrics_(metrics), clock_(clock) {}

    // The same entry for the same name, for the life of the book.
    TaskEntry& open(const TaskInfo& info);
    std::vector<TaskReport> report() const;

 private:
    Metrics& metrics_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::map<std::string, std::unique_ptr<TaskEntry>> entries_;
};

}  // namespace synapsex
