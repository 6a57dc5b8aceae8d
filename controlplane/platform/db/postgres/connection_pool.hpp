#pragma once

// At most so many connections, opened when they are needed. Any thread.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "controlplane/platform/db/postgres/connection.hpp"
#include "controlplane/platform/db/postgres/postgres.hpp"

namespace synapsex::db {

class PostgresPool;

// A connection that is lent; goes back, or is closed if it is of no use any more.
class LentConnection {
 public:
    LentConnection(PostgresPool& pool, std::unique_ptr<PostgresConnection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    ~LentConnection();
    LentConnection(LentConnection&& other) noexcept = default;
    LentConnection& operator=(LentConnection&&) = delete;

    PostgresConnection* operator->() { return connection_.get(); }
    PostgresConnection& operator*() { return *connection_; }

 private:
    PostgresPool* pool_;
    std::unique_ptr<PostgresConnection> connection_;
};

class PostgresPool {
 public:
    // Both outlive the pool, which outlives what it lends.
    PostgresPool(const PostgresOptions& options, const Clock& clock)
        : options_(options), clock_(clock), watchdog_(options.silence_max) {}

    // nullopt if none got free in time. Throws PostgresError if one cannot be opened.
    std::optional<LentConnection> acquire(Deadline deadline);

    std::size_t in_use() const;

 private:
    friend class LentConnection;
    void give_back(std::unique_ptr<PostgresConnection> connection);

    const PostgresOptions& options_;
    const Clock& clock_;
    PostgresWatchdog watchdog_;
    mutable std::mutex mutex_;
    std::condition_variable has_idle_;
    std::vector<std::unique_ptr<PostgresConnection>> idle_;
    std::size_t opened_ = 0;
};

}  // namespace synapsex::db
