#pragma once

// Hints from one replica to all that share its database: "this API key was revoked". A hint comes
// out when the transaction that gave it has committed, on every replica, the one that gave it
// included (PostgreSQL: NOTIFY). It is a hint: with a lost connection some are lost, so what it
// hurries has to happen by itself a little later. On SQLite there is one replica, which knows.
//
// Commits that give hints wait for each other, across the whole PostgreSQL server: give them for
// what is rare. Prefer the outbox for what must not be lost.

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "controlplane/platform/db/database.hpp"

namespace synapsex::wakeups {

inline constexpr std::string_view kChannel = "synapsex";
inline constexpr std::size_t kTextMax = 1024;  // bytes

// "auth.credential_revoked": of the service that gives it, and what has happened.
struct Topic {
    std::string_view name;
};

// Throws std::logic_error for a text that is too long or has a zero byte in it.
void tell(db::Session& session, Topic topic, std::string_view text);
std::span<const db::Query* const> queries();

// Who wants to hear what. Any thread.
class Board {
 public:
    using Listener = std::function<void(std::string_view text)>;

    // The listener is called from the thread that listens, for as long as the board lives: it is
    // quick, and whoever it refers to outlives what delivers.
    void on(Topic topic, Listener listener);
    // As it came over the channel. What nobody here knows (of a newer release) is nothing.
    void deliver(std::string_view hint) const;

 private:
    mutable std::mutex mutex_;
    std::multimap<std::string, Listener, std::less<>> listeners_;
};

}  // namespace synapsex::wakeups
