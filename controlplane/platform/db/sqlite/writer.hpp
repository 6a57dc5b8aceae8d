#pragma once

// The one thread that writes: its connection, its queue, its end.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "controlplane/platform/db/sqlite/batch.hpp"

namespace synapsex::db {

class Writer final : private WriteSource {
 public:
    // Opens the connection and starts the thread. All outlive the writer.
    Writer(const SqliteOptions& options, const Clock& clock, Metrics& metrics);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Queues the body and waits for what becomes of it, at most until the deadline if it has not
    // begun by then.
    Outcome write(Deadline deadline, const Body& body);

    // Runs `use` on the calling thread, between batches.
    template <class Use>
    void with_connection(Use&& use) {
        const std::lock_guard lock{connection_mutex_};
        use(connection_, session_);
    }

    // Answers all that is queued and ends the thread; the destructor does it too.
    void finish();

    // False while one batch has kept the thread for longer than any should.
    bool is_responsive() const;

 private:
    void run();
    bool push(const WritePtr& write);
    // Waits for the first write of a batch; false at the end.
    bool await_work();
    WritePtr next(std::size_t taken) override;
    // True once another write has come; false if none is worth waiting for.
    bool await_crowd(std::size_t taken);

    const SqliteOptions& options_;
    const Clock& clock_;
    sqlite::Connection connection_;
    SqliteSession session_;
    BatchRunner::Counters counters_;
    BatchRunner runner_;
    std::mutex connection_mutex_;

    std::mutex mutex_;
    std::condition_variable has_work_;
    std::deque<WritePtr> queue_;
    bool is_stopping_ = false;
    // queue_.size(), to be looked at without the mutex. Shared with the metrics, which may be read
    // after the writer has gone.
    std::shared_ptr<std::atomic<std::size_t>> queued_;
    std::size_t crowd_ = 0;                          // writes to expect; the writer's thread only
    std::atomic<SteadyTime::rep> batch_started_{0};  // 0: idle
    std::thread thread_;
};

}  // namespace synapsex::db
