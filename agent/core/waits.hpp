#pragma once

// How long to wait before asking again. One place, because every rule here has a reason that is
// easy to forget: a fleet that was cut off together must not come back together.

#include <chrono>
#include <optional>

#include "agent/core/messages.hpp"
#include "shared/base/backoff.hpp"
#include "shared/base/random.hpp"

namespace synapsex::agent {

inline constexpr std::chrono::milliseconds kBackoffBase{1'000};
inline constexpr std::chrono::milliseconds kBackoffCap{120'000};
inline constexpr std::chrono::seconds kRetryAfterMax{3600};
inline constexpr std::chrono::minutes kSilence{15};

// The next step of the back-off; never sooner than the server's Retry-After, which is stretched by
// up to a quarter so that those who were told the same number spread out.
std::chrono::milliseconds wait_after(const CallFailure& failure, Backoff& backoff, Random& random);

// The server itself says that it does not know this agent any more, has revoked it, or that the
// agent has replaced the key it signs with.
bool is_forgotten(const CallFailure& failure);

// The server knows the agent by another key than the one that signed.
bool is_another_key(const CallFailure& failure);

// Nothing that a forgotten agent does soon can help. 15 minutes, 20 % more or less.
std::chrono::milliseconds long_silence(Random& random);

// An even draw from [0, bound].
std::chrono::milliseconds jitter(std::chrono::milliseconds bound, Random& random);

}  // namespace synapsex::agent
