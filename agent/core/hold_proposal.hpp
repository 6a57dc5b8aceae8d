#pragma once

// Finds how long a heartbeat may be held. Proxies between the agent and the control plane cut
// connections that stay quiet, each after a time of its own; a cut costs a reconnect and looks like
// an outage, a short hold costs requests. So: halve when cut, grow back slowly, and the more often
// the growth was punished, the more slowly.

#include <chrono>

namespace synapsex::agent {

class HoldProposal {
 public:
    static constexpr std::chrono::seconds kMax{55};
    static constexpr std::chrono::seconds kMin{5};
    static constexpr std::chrono::seconds kGrowth{5};
    // A connection that ends sooner was not cut for being quiet.
    static constexpr std::chrono::seconds kQuietMin{3};

    std::chrono::seconds current() const { return current_; }
    // The most that the server says it allows; zero: it says nothing.
    void limit_to(std::chrono::seconds server_max);
    void on_held();  // an answer came at the end of a full hold
    // Whether a shorter hold is left to try.
    bool on_cut();

 private:
    static constexpr int kHeldBeforeGrowth = 20;
    static constexpr int kHeldBeforeGrowthMax = 640;

    std::chrono::seconds max_ = kMax;
    std::chrono::seconds current_ = kMax;
    bool has_grown_ = false;  // since the last cut
    int held_ = 0;
    int held_before_growth_ = kHeldBeforeGrowth;
};

}  // namespace synapsex::agent
