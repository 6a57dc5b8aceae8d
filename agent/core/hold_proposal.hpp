#pragma once

// Finds how long a heartbeat may be held. Proxies between the agent and the control plane cut
// connections that stay quiet, each after a time of its own; a cut costs a reconnect, a short hold
// costs requests. So: halve when cut, grow back slowly, and the more often the growth was punished,
// the more slowly.
//
// A control plane that crashes cuts as well. It does so at any age of a poll, a proxy always at the
// same: only a second cut of about the same age counts.

#include <chrono>
#include <optional>

namespace synapsex::agent {

class HoldProposal {
 public:
    static constexpr std::chrono::seconds kMax{55};
    static constexpr std::chrono::seconds kMin{5};
    static constexpr std::chrono::seconds kGrowth{5};
    // A connection that ends sooner was not cut for being quiet.
    static constexpr std::chrono::seconds kQuietMin{3};
    static constexpr std::chrono::seconds kSameAge{2};

    std::chrono::seconds current() const { return current_; }
    // The most that the server says it allows; zero: it says nothing.
    void limit_to(std::chrono::seconds server_max);
    void on_held();  // an answer came at the end of a full hold
    // The connection ended that long after the poll was sent.
    void on_cut(std::chrono::nanoseconds age);

 private:
    static constexpr int kHeldBeforeGrowth = 20;
    static constexpr int kHeldBeforeGrowthMax = 640;

    std::chrono::seconds max_ = kMax;
    std::chrono::seconds current_ = kMax;
    std::optional<std::chrono::nanoseconds> last_cut_;  // unless a longer hold has passed since
    bool has_grown_ = false;  // since it was halved
    int held_ = 0;
    int held_before_growth_ = kHeldBeforeGrowth;
};

}  // namespace synapsex::agent
