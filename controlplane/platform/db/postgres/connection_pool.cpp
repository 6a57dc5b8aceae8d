#include "controlplane/platform/db/postgres/connection_pool.hpp"

namespace synapsex::db {

LentConnection::~LentConnection() {
    if (connection_) pool_->give_back(std::move(connection_));
}

std::optional<LentConnection> PostgresPool::acquire(Deadline deadline) {
    std::unique_lock lock{mutex_};
    while (idle_.empty() && opened_ >= options_.connections_max) {
        if (deadline.is_expired(clock_)) return std::nullopt;
        has_idle_.wait_for(lock, deadline.remaining(clock_));
    }
    if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return LentConnection{*this, std::move(connection)};
    }
    ++opened_;
    lock.unlock();
    try {
        return LentConnection{
            *this, std::make_unique<PostgresConnection>(options_.url, clock_, watchdog_)};
    } catch (...) {
        give_back(nullptr);
        throw;
    }
}

void PostgresPool::give_back(std::unique_ptr<PostgresConnection> connection) {
    {
        const std::lock_guard lock{mutex_};
        if (connection && connection->is_usable())
            idle_.push_back(std::move(connection));
        else
            --opened_;
    }
    has_idle_.notify_one();
}

std::size_t PostgresPool::in_use() const {
    const std::lock_guard lock{mutex_};
    return opened_ - idle_.size();
}

}  // namespace synapsex::db
