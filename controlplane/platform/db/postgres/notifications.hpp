#pragma once

// Hears what transactions said with NOTIFY, on a connection of its own that LISTENs. One that is
// lost is made again, with full jitter up to 10 s between attempts; what was said meanwhile is not
// heard.

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "shared/base/random.hpp"

namespace synapsex::db {

class PostgresNotifications {
 public:
    struct Options {
        std::string url;      // of the server itself: a pooler of transactions loses what it hears
        std::string channel;
    };
    // Both are called from the thread of the connection.
    struct Callbacks {
        std::function<void(std::string_view payload)> heard;
        std::function<void()> listens = [] {};  // from now on, at first and after a loss
    };

    PostgresNotifications(Options options, Random& random, Callbacks callbacks);
    // Waits for a call under way.
    ~PostgresNotifications();
    PostgresNotifications(const PostgresNotifications&) = delete;
    PostgresNotifications& operator=(const PostgresNotifications&) = delete;

    bool is_listening() const { return is_listening_; }

 private:
    void run();
    void listen();
    // False if it is to stop.
    bool wait_for_bytes(int socket) const;
    bool rest(std::chrono::milliseconds time) const;

    const Options options_;
    Random& random_;
    const Callbacks callbacks_;
    const int stop_;  // an eventfd
    std::atomic<bool> is_listening_{false};
    std::thread thread_;
};

}  // namespace synapsex::db
