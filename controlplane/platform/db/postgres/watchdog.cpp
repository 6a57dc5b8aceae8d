#include "controlplane/platform/db/postgres/watchdog.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "shared/base/log.hpp"

namespace synapsex::db {

namespace {

int duplicate(int socket) {
    const int copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) throw std::system_error{errno, std::generic_category(), "duplicate a socket"};
    return copy;
}

}  // namespace

PostgresWatchdog::PostgresWatchdog(std::chrono::milliseconds grace)
    : grace_(grace), thread_([this] { run(); }) {}

PostgresWatchdog::~PostgresWatchdog() {
    {
        const std::lock_guard lock{mutex_};
        is_ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void PostgresWatchdog::run() {
    std::unique_lock lock{mutex_};
    while (!is_ending_) {
        wakes_at_ = end_what_is_late(clock_.steady_now());
        if (wakes_at_ == SteadyTime::max())
            changed_.wait(lock);
        else
            changed_.wait_until(lock, wakes_at_);
    }
}

SteadyTime PostgresWatchdog::end_what_is_late(SteadyTime now) {
    auto next = SteadyTime::max();
    for (auto* socket : sockets_) {
        if (socket->limit_ <= now) {
            ::shutdown(socket->socket_, SHUT_RDWR);
            socket->limit_ = SteadyTime::max();
            log_warning("the database does not answer: a connection is given up");
        }
        next = std::min(next, socket->limit_);
    }
    return next;
}

WatchedSocket::WatchedSocket(PostgresWatchdog& watchdog, int socket)
    : watchdog_(watchdog), socket_(duplicate(socket)) {
    const std::lock_guard lock{watchdog_.mutex_};
    watchdog_.sockets_.push_back(this);
}

WatchedSocket::~WatchedSocket() {
    {
        const std::lock_guard lock{watchdog_.mutex_};
        std::erase(watchdog_.sockets_, this);
    }
    ::close(socket_);
}

void WatchedSocket::expect_end_within(std::chrono::milliseconds limit) {
    const auto until = watchdog_.clock_.steady_now() + limit + watchdog_.grace_;
    {
        const std::lock_guard lock{watchdog_.mutex_};
        limit_ = until;
        if (until >= watchdog_.wakes_at_) return;  // most: it need not be woken
        watchdog_.wakes_at_ = until;
    }
    watchdog_.changed_.notify_one();
}

void WatchedSocket::expect_nothing() {
    const std::lock_guard lock{watchdog_.mutex_};
    limit_ = SteadyTime::max();
}

}  // namespace synapsex::db
