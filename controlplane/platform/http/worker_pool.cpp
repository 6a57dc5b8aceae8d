#include "controlplane/platform/http/worker_pool.hpp"

#include <limits.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

#include "shared/base/log.hpp"

namespace synapsex::http {
namespace {

std::size_t stack_size(std::size_t wished) {
#ifdef SYNAPSEX_SANITIZED
    // Red zones and fake frames make every frame several times larger.
    wished = std::max<std::size_t>(wished, 1024 * 1024);
#endif
    return std::max<std::size_t>(wished, static_cast<std::size_t>(PTHREAD_STACK_MIN));
}

// Outlives its threads' creation only; std::thread cannot set a stack size.
class ThreadAttributes {
 public:
    explicit ThreadAttributes(std::size_t stack_bytes) {
        check(pthread_attr_init(&attributes_));
        check(pthread_attr_setstacksize(&attributes_, stack_bytes));
    }
    ~ThreadAttributes() { pthread_attr_destroy(&attributes_); }
    ThreadAttributes(const ThreadAttributes&) = delete;
    ThreadAttributes& operator=(const ThreadAttributes&) = delete;

    pthread_t start(void* (*function)(void*), void* argument) const {
        pthread_t thread{};
        check(pthread_create(&thread, &attributes_, function, argument));
        return thread;
    }

 private:
    static void check(int error) {
        if (error != 0) throw std::system_error{error, std::system_category(), "worker thread"};
    }

    pthread_attr_t attributes_{};
};

}  // namespace

WorkerPool::WorkerPool(const Options& options) : options_(options) {
    const ThreadAttributes attributes{stack_size(options_.stack_bytes)};
    threads_.reserve(options_.threads);
    try {
        for (std::size_t i = 0; i < options_.threads; ++i)
            threads_.push_back(attributes.start(&WorkerPool::run_thread, this));
    } catch (...) {
        stop();  // no destructor runs for what was not constructed
        throw;
    }
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::stop() {
    {
        const std::lock_guard lock{mutex_};
        is_stopping_ = true;
    }
    has_work_.notify_all();
    for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
    threads_.clear();
}

bool WorkerPool::submit(std::function<void()> work) {
    {
        const std::lock_guard lock{mutex_};
        if (is_stopping_ || queue_.size() >= options_.queue_max) return false;
        queue_.push_back(std::move(work));
    }
    has_work_.notify_one();
    return true;
}

bool WorkerPool::submit_admitted(std::function<void()> work) {
    {
        const std::lock_guard lock{mutex_};
        if (is_stopping_) return false;
        admitted_.push_back(std::move(work));
    }
    has_work_.notify_one();
    return true;
}

std::size_t WorkerPool::queued() const {
    const std::lock_guard lock{mutex_};
    return queue_.size() + admitted_.size();
}

void* WorkerPool::run_thread(void* self) {
    static_cast<WorkerPool*>(self)->run();
    return nullptr;
}

// Null at the end.
std::function<void()> WorkerPool::take() {
    std::unique_lock lock{mutex_};
    has_work_.wait(lock, [this] {
        return is_stopping_ || !queue_.empty() || !admitted_.empty();
    });
    auto& queue = admitted_.empty() ? queue_ : admitted_;
    if (queue.empty()) return nullptr;
    auto work = std::move(queue.front());
    queue.pop_front();
    return work;
}

void WorkerPool::run() {
    while (const auto work = take()) {
        try {
            work();
        } catch (const std::exception& error) {
            // Whoever submits answers for its own failures; this thread has to serve the next.
            log_error("work on the pool threw", {{"error", error.what()}});
        }
    }
}

}  // namespace synapsex::http
