#pragma once

// Randomness that repeats: the same seed, the same bytes.

#include <random>

#include "shared/base/random.hpp"

namespace synapsex::testing {

class SeededRandom final : public Random {
 public:
    explicit SeededRandom(std::uint64_t seed = 1) : engine_(seed) {}

    void fill(std::span<std::byte> bytes) override {
        for (auto& byte : bytes) byte = static_cast<std::byte>(engine_() & 0xFF);
    }

 private:
    std::mt19937_64 engine_;
};

}  // namespace synapsex::testing
