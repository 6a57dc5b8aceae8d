#include "agent/core/waits.hpp"

#include <algorithm>

namespace synapsex::agent {

std::chrono::milliseconds jitter(std::chrono::milliseconds bound, Random& random) {
    const auto values = static_cast<std::uint64_t>(bound.count()) + 1;
    return std::chrono::milliseconds{static_cast<std::int64_t>(random.below(values))};
}

std::chrono::milliseconds wait_after(const CallFailure& failure, Backoff& backoff, Random& random) {
    const auto own = backoff.next(random);
    if (!failure.retry_after) return own;
    const auto asked = std::chrono::milliseconds{
        std::clamp(*failure.retry_after, std::chrono::seconds{0}, kRetryAfterMax)
    };
    return std::max(own, asked + jitter(asked / 4, random));
}

bool is_forgotten(const CallFailure& failure) {
    return failure.code == "auth.unknown_key" || failure.code == "auth.agent_revoked" ||
           failure.code == "auth.key_replaced";
}

bool is_another_key(const CallFailure& failure) {
    return failure.code == "auth.key_replaced" || failure.code == "auth.assertion_bad_signature";
}

std::chrono::milliseconds long_silence(Random& random) {
    const std::chrono::milliseconds whole = kSilence;
    return whole * 4 / 5 + jitter(whole * 2 / 5, random);
}

}  // namespace synapsex::agent
