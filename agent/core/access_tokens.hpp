#pragma once

// Keeps the short-lived access token: when to fetch one, how long to wait after a refusal, and by
// how much this machine's clock is wrong. The correction serves authentication alone; samples and
// schedules keep the machine's own time.

#include <chrono>
#include <optional>
#include <string>

#include "agent/core/messages.hpp"
#include "agent/core/waits.hpp"

namespace synapsex::agent {

class AccessTokens {
 public:
    AccessTokens(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

    // A token that the server should still take; empty if there is none.
    const std::string& usable() const;
    // Time to fetch one: none is usable, or four fifths of its life are over.
    bool is_fetch_due() const;
    // Until then no fetch, whatever is missing.
    SteadyTime not_before() const { return not_before_; }
    // What the assertion says the time is.
    Timestamp assertion_time() const { return clock_.now() + skew_; }

    void on_fetched(AccessToken token);
    void on_failed(const CallFailure& failure);
    // The server answered 401 to the token.
    void drop() { token_.clear(); }

 private:
    std::chrono::milliseconds wait_for(const CallFailure& failure);

    const Clock& clock_;
    Random& random_;
    Backoff backoff_{kBackoffBase, kBackoffCap};
    std::string token_;
    SteadyTime refresh_at_{};
    SteadyTime expires_at_{};
    SteadyTime not_before_{};
    std::chrono::microseconds skew_{0};
    bool is_skew_fresh_ = false;  // just learned, and not yet tried
};

}  // namespace synapsex::agent
