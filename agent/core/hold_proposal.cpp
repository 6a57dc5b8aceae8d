#include "agent/core/hold_proposal.hpp"

#include <algorithm>

namespace synapsex::agent {

void HoldProposal::limit_to(std::chrono::seconds server_max) {
    if (server_max <= std::chrono::seconds{0}) return;
    const bool was_at_max = current_ == max_;
    max_ = std::clamp(server_max, kMin, kMax);
    // A server that lowers its limit and lifts it again is no proxy: nothing to be careful about.
    current_ = was_at_max ? max_ : std::min(current_, max_);
}

void HoldProposal::on_held() {
    if (last_cut_ && current_ > *last_cut_) last_cut_.reset();
    if (current_ >= max_ || ++held_ < held_before_growth_) return;
    held_ = 0;
    current_ = std::min(current_ + kGrowth, max_);
    has_grown_ = true;
}

void HoldProposal::on_cut(std::chrono::nanoseconds age) {
    held_ = 0;
    const bool is_repeated = last_cut_ && std::chrono::abs(age - *last_cut_) <= kSameAge;
    last_cut_ = age;
    if (!is_repeated) return;
    // Cut after growing: the proxy's limit is found, so come back to it less often.
    if (has_grown_) held_before_growth_ = std::min(held_before_growth_ * 2, kHeldBeforeGrowthMax);
    has_grown_ = false;
    current_ = std::max(current_ / 2, kMin);
}

}  // namespace synapsex::agent
