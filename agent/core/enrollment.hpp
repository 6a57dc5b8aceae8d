#pragma once

// Decides what a failed enrollment means: wait and ask again, or give up because no repetition can
// help. Enrollment happens once in an agent's life; nothing that goes wrong later leads back here.

#include <chrono>
#include <string>
#include <variant>

#include "agent/core/waits.hpp"

namespace synapsex::agent {

class Enrollment {
 public:
    struct Retry {
        std::chrono::milliseconds wait;
    };
    struct GiveUp {
        std::string reason;  // a sentence for the operator
    };

    explicit Enrollment(Random& random) : random_(random) {}

    std::variant<Retry, GiveUp> on_failed(const CallFailure& failure);

 private:
    Random& random_;
    Backoff backoff_{kBackoffBase, kBackoffCap};
};

}  // namespace synapsex::agent
