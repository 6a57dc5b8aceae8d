#pragma once

// The one wish to stop that the worker's threads share, and a sleep that it ends.

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace synapsex::agent {

class StopSignal {
 public:
    void request() {
        {
            const std::lock_guard lock{mutex_};
            is_requested_ = true;
        }
        changed_.notify_all();
    }
    bool is_requested() const {
        const std::lock_guard lock{mutex_};
        return is_requested_;
    }
    // Sleeps; true as soon as a stop is requested.
    bool wait_for(std::chrono::nanoseconds time) const {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, time, [&] { return is_requested_; });
    }

 private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool is_requested_ = false;
};

}  // namespace synapsex::agent
