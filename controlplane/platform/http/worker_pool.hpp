#pragma once

// The bounded pool that runs handlers. About 64 threads with small stacks: they spend their time
// waiting for the database, and group commit needs the crowd.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include <pthread.h>

namespace synapsex::http {

class WorkerPool {
 public:
    struct Options {
        std::size_t threads = 64;
        std::size_t queue_max = 1024;
        std::size_t stack_bytes = 256 * 1024;
    };

    explicit WorkerPool(const Options& options);
    // As stop().
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // False if the queue is full or the pool stopped: answer 503 with Retry-After.
    bool submit(std::function<void()> work);
    // For the second half of a request that was let in before: goes first and finds room always, as
    // there are no more of them than connections. False if the pool stopped.
    bool submit_admitted(std::function<void()> work);
    // Finishes what is queued and ends the threads. What queued work refers to has to outlive this,
    // not the pool.
    void stop();
    std::size_t queued() const;

 private:
    static void* run_thread(void* self);
    void run();
    std::function<void()> take();

    const Options options_;
    mutable std::mutex mutex_;
    std::condition_variable has_work_;
    std::deque<std::function<void()>> queue_;
    std::deque<std::function<void()>> admitted_;
    bool is_stopping_ = false;
    std::vector<pthread_t> threads_;
};

}  // namespace synapsex::http
