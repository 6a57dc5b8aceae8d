#pragma once

// Long polls wait here. A ticket is one waiting request under a key (an agent's id); whoever has
// news for the key wakes it. Registering comes first and checking for work second, so work that
// arrives between the two is not missed. Plain C++: the HTTP session turns a wake into the end of
// its coroutine's wait.

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace synapsex::api {

enum class Wake {
    timeout,     // the hold is over and nothing happened
    news,        // there is something to fetch
    superseded,  // the same key parked again: this request is the older one
    draining,    // the server is stopping
};

class ParkingLot;

// One waiting request. Leaves the lot when destroyed. Any thread may call anything.
class Ticket {
 public:
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    // Calls back once, at once if the wake came first; from the waking thread, under no lock.
    void on_wake(std::function<void(Wake)> callback);
    // For the one who waits: the hold is over, or the peer is gone. The first wake wins.
    void wake(Wake reason);
    std::optional<Wake> reason() const;

 private:
    friend class ParkingLot;
    struct State;
    Ticket(ParkingLot* lot, std::string key, std::shared_ptr<State> state);

    ParkingLot* lot_;
    std::string key_;
    std::shared_ptr<State> state_;
};

// Outlives every ticket it gave.
class ParkingLot {
 public:
    // Supersedes the ticket that holds the key, if any.
    std::unique_ptr<Ticket> park(const std::string& key);
    // False if nobody waits under the key.
    bool wake(const std::string& key, Wake reason);
    void wake_all(Wake reason);
    bool contains(const std::string& key) const;
    // A copy of all keys under which somebody waits: for who would else ask for each.
    std::unordered_set<std::string> keys() const;
    std::size_t size() const;

 private:
    friend class Ticket;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::weak_ptr<Ticket::State>> waiting_;
};

}  // namespace synapsex::api
