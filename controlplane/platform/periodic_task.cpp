#include "controlplane/platform/periodic_task.hpp"

#include "shared/base/log.hpp"

namespace synapsex {

PeriodicTask::PeriodicTask(
    std::string name, std::chrono::milliseconds interval, std::function<void()> work
)
    : name_(std::move(name)), interval_(interval), work_(std::move(work)), thread_([this] {
          run();
      }) {}

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
        wake_.wait_for(lock, interval_, [this] { return is_stopping_ || is_hurried_; });
        if (is_stopping_) return;
        is_hurried_ = false;
        lock.unlock();
        try {
            work_();
        } catch (const std::exception& error) {
            log_error("background task failed", {{"task", name_}, {"error", error.what()}});
        }
        lock.lock();
    }
}

}  // namespace synapsex
