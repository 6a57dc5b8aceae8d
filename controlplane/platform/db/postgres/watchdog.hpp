#pragma once

// Ends from here the connection of a transaction that is not back in time: statement_timeout is
// the server's, and tcp_user_timeout does not fire while the server's kernel acknowledges, so a
// server that hangs without closing would hold the thread that waits for it for as long as it does.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "shared/base/time.hpp"

namespace synapsex::db {

class WatchedSocket;

// One thread, which sleeps until the earliest limit. Outlives what it watches.
class PostgresWatchdog {
 public:
    // How long past its own limit a transaction may take to say so.
    explicit PostgresWatchdog(std::chrono::milliseconds grace);
    ~PostgresWatchdog();

 private:
    friend class WatchedSocket;
    void run();
    // Of the limits that are left, SteadyTime::max() if there is none.
    SteadyTime end_what_is_late(SteadyTime now);

    // A server hangs by this clock, whatever a test's says.
    const SystemClock clock_;
    const std::chrono::milliseconds grace_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<WatchedSocket*> sockets_;
    SteadyTime wakes_at_ = SteadyTime::max();
    bool is_ending_ = false;
    std::thread thread_;
};

// Belongs to one connection. Not thread-safe.
class WatchedSocket {
 public:
    WatchedSocket(PostgresWatchdog& watchdog, int socket);
    ~WatchedSocket();
    WatchedSocket(const WatchedSocket&) = delete;
    WatchedSocket& operator=(const WatchedSocket&) = delete;

    // From now on, in place of what was said before: after it and the grace the socket is shut
    // down, so that whoever reads from it or writes to it goes on with an error.
    void expect_end_within(std::chrono::milliseconds limit);
    void expect_nothing();

 private:
    friend class PostgresWatchdog;

    PostgresWatchdog& watchdog_;
    // A duplicate: libpq closes its own when it likes, and another file may get the number.
    const int socket_;
    SteadyTime limit_ = SteadyTime::max();  // under the watchdog's mutex
};

}  // namespace synapsex::db
