#pragma once

// Finds out whether hints arrive, by giving one to itself: behind a pooler that lends a connection
// for a transaction only, LISTEN seems to work and hears nothing.

#include <condition_variable>
#include <mutex>
#include <string>

#include "controlplane/platform/wakeups/wakeups.hpp"
#include "shared/base/random.hpp"

namespace synapsex::wakeups {

class WakeupProbe {
 public:
    struct Parts {  // all outlive the probe
        db::Database& database;
        const Clock& clock;
        Random& random;
        std::chrono::milliseconds patience{5'000};
    };
    explicit WakeupProbe(const Parts& parts) : parts_(parts) {}

    // Every hint that comes is shown to it, from any thread. Not by way of a Board, which databases
    // share and which outlives the probe.
    void hear(std::string_view hint);

    // Kind::unavailable "wakeups.silent": a hint did not come back in time.
    Result<Done> look(const Call& call);
    // Nobody listens any more: a look under way ends at once, and none finds fault from here on.
    void give_up();

 private:
    const Parts parts_;
    std::mutex mutex_;
    std::condition_variable came_back_;
    std::string awaited_;  // others probe on the same channel
    bool is_heard_ = false;
    bool is_given_up_ = false;
};

}  // namespace synapsex::wakeups
