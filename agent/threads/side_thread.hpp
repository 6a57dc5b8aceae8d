#pragma once

// A thread for work that may hang: a disk that has stalled, a file system that does not answer.
// Whoever needs the outcome waits for as long as there is patience and goes on without it, so that
// heartbeats and samples never depend on such work.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace synapsex::agent {

class SideThread {
 public:
    SideThread() : thread_{[this] { run(); }} {}
    // Does all that was given to it before.
    ~SideThread() {
        {
            const std::lock_guard lock{mutex_};
            is_ending_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
    SideThread(const SideThread&) = delete;
    SideThread& operator=(const SideThread&) = delete;

    // One piece after another, in this order. Must not throw.
    void post(std::function<void()> work) {
        {
            const std::lock_guard lock{mutex_};
            work_.push_back(std::move(work));
        }
        changed_.notify_one();
    }

 private:
    void run() {
        std::unique_lock lock{mutex_};
        while (true) {
            changed_.wait(lock, [this] { return is_ending_ || !work_.empty(); });
            if (work_.empty()) return;
            const auto work = std::move(work_.front());
            work_.pop_front();
            lock.unlock();
            work();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> work_;
    bool is_ending_ = false;
    std::thread thread_;
};

// A question to a side thread, of which one at a time is under way. Asked by one thread.
template <class T>
class Question {
 public:
    // nullopt if no answer came in time; it is kept for the next time, so what is answered may be
    // an earlier asking. That one is not waited for again: work that hangs costs the patience once.
    // An exception of `work` is thrown here.
    std::optional<T> ask(
        SideThread& thread, std::function<T()> work, std::chrono::milliseconds patience
    ) {
        const bool is_new = !is_under_way();
        if (is_new) {
            const auto task = std::make_shared<std::packaged_task<T()>>(std::move(work));
            owed_ = task->get_future();
            thread.post([task] { (*task)(); });
        }
        const auto wait = is_new ? patience : std::chrono::milliseconds{0};
        if (owed_.wait_for(wait) != std::future_status::ready) return std::nullopt;
        return owed_.get();
    }

    // An earlier asking is not answered yet, or its answer was not fetched.
    bool is_under_way() const { return owed_.valid(); }

 private:
    std::future<T> owed_;
};

}  // namespace synapsex::agent
