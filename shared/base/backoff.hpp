#pragma once

// Full-jitter exponential back-off: each wait is drawn evenly from [0, min(cap, base * 2^attempt)],
// so that a fleet cut off at one moment does not come back at one moment.

#include <algorithm>
#include <chrono>

#include "shared/base/random.hpp"

namespace synapsex {

class Backoff {
 public:
    Backoff(std::chrono::milliseconds base, std::chrono::milliseconds cap)
        : base_(base), cap_(cap) {}

    std::chrono::milliseconds next(Random& random) {
        const auto ceiling = std::min(cap_, base_ * (std::int64_t{1} << std::min(attempt_, 30)));
        ++attempt_;
        const auto bound = static_cast<std::uint64_t>(ceiling.count()) + 1;
        return std::chrono::milliseconds{static_cast<std::int64_t>(random.below(bound))};
    }
    void reset() { attempt_ = 0; }
    int attempt() const { return attempt_; }

 private:
    std::chrono::milliseconds base_;
    std::chrono::milliseconds cap_;
    int attempt_ = 0;
};

}  // namespace synapsex
