#pragma once

// A named piece of background work on a thread of its own: waits the interval, runs, waits again.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "controlplane/platform/tasks/task_book.hpp"
#include "shared/base/result.hpp"

namespace synapsex {

enum class TaskRun {
    done,
    elsewhere,  // another replica has the role: there was nothing to do
};

class PeriodicTask {
 public:
    // A Problem or an exception is a run that failed: it is noted in the book and logged, and the
    // task goes on.
    using Work = std::function<Result<TaskRun>()>;

    PeriodicTask(const TaskInfo& info, TaskBook& book, Work work);
    // Waits for the work under way.
    ~PeriodicTask();
    PeriodicTask(const PeriodicTask&) = delete;
    PeriodicTask& operator=(const PeriodicTask&) = delete;

    // Runs as soon as it can, not at the end of the interval.
    void hurry();

 private:
    void run();
    void run_once();

    const TaskInfo info_;
    TaskEntry& entry_;
    const Work work_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool is_stopping_ = false;
    bool is_hurried_ = false;
    std::thread thread_;
};

}  // namespace synapsex
