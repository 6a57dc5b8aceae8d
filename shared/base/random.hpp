#pragma once

// The injected source of randomness. SystemRandom is the kernel's and fit for secrets; tests use
// SeededRandom (tests/support), which repeats.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace synapsex {

class Random {
 public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::byte> bytes) = 0;

    std::uint64_t next();
    // Even over [0, bound); 0 for a bound of 0.
    std::uint64_t below(std::uint64_t bound);
    // `size` characters of [0-9A-Za-z]: 5.95 bits each.
    std::string base62(std::size_t size);
};

// getrandom(2), small amounts drawn ahead; throws std::system_error without one. Any thread.
class SystemRandom final : public Random {
 public:
    void fill(std::span<std::byte> bytes) override;
};

}  // namespace synapsex
