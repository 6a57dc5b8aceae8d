#pragma once

// A named piece of background work on a thread of its own: runs, waits the interval, runs again.
// An exception is logged and does not end it.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace synapsex {

class PeriodicTask {
 public:
    PeriodicTask(
        std::string name, std::chrono::milliseconds interval, std::function<void()> work
    );
    // Waits for the work under way.
    ~PeriodicTask();
    PeriodicTask(const PeriodicTask&) = delete;
    PeriodicTask& operator=(const PeriodicTask&) = delete;

    // Runs as soon as it can, not at the end of the interval.
    void hurry();

 private:
    void run();

    const std::string name_;
    const std::chrono::milliseconds interval_;
    const std::function<void()> work_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool is_stopping_ = false;
    bool is_hurried_ = false;
    std::thread thread_;
};

}  // namespace synapsex
