#include "controlplane/platform/tasks/periodic_task.hpp"

namespace synapsex {

PeriodicTask::PeriodicTask(const TaskInfo& info, TaskBook& book, Work work)
    : info_(info), entry_(book.open(info)), work_(std::move(work)), thread_([this] { run(); }) {}

PeriodicTask::~PeriodicTask() {
    {
        const std::lock_guard lock{mutex_};
        is_stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void PeriodicTask::hurry() {
    {
        const std::lock_guard lock{mutex_};
        is_hurried_ = true;
    }
    wake_.notify_all();
}

void PeriodicTask::run() {
    std::unique_lock lock{mutex_};
    while (!is_stopping_) {
        wake_.wait_for(lock, info_.interval, [this] { return is_stopping_ || is_hurried_; });
        if (is_stopping_) return;
        is_hurried_ = false;
        lock.unlock();
        run_once();
        lock.lock();
    }
}

void PeriodicTask::run_once() {
    try {
        const auto ran = work_();
        if (!ran)
            entry_.note_failure(ran.error().code + ": " + ran.error().detail);
        else if (*ran == TaskRun::done)
            entry_.note_success();
        else
            entry_.note_elsewhere();
    } catch (const std::exception& error) {
        entry_.note_failure(error.what());
    }
}

}  // namespace synapsex
