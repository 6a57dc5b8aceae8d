#pragma once

// Bounds the work that passwords make. A hash costs about 20 ms of a core and 19 MiB; without a
// bound a storm of sign-ins would starve everything else on a small machine.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/platform/auth/call.hpp"
#include "shared/base/result.hpp"
#include "shared/crypto/password.hpp"

namespace synapsex::auth {

struct PasswordLimits {
    std::size_t running_max = 2;
    // Who comes when so many wait is refused at once: waiters hold worker threads.
    std::size_t waiting_max = 16;
    std::chrono::milliseconds wait_max{2000};
};

// Any thread. All of it outside transactions.
class PasswordGate {
 public:
    PasswordGate(
        const Clock& clock,
        Random& random,
        const crypto::PasswordCost& cost,
        const PasswordLimits& limits
    );

    // Kind::unavailable auth.busy, with Retry-After.
    Result<std::string> hash(const Call& call, std::string_view password);

    struct Verdict {
        bool is_right = false;
        // Set if the password is right and its hash cost less than a hash costs today: store this.
        std::optional<std::string> better_hash{};
    };
    // With nullopt for a user who does not exist it takes the same time and is never right.
    Result<Verdict> check(
        const Call& call, std::string_view password, const std::optional<std::string>& stored
    );

    // A place among those that run; gives it back when destroyed.
    class Permit {
     public:
        explicit Permit(PasswordGate& gate) : gate_(&gate) {}
        Permit(Permit&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
        Permit& operator=(Permit&&) = delete;
        ~Permit();

     private:
        PasswordGate* gate_;
    };
    Result<Permit> enter(const Call& call);

 private:
    const Clock& clock_;
    Random& random_;
    const crypto::PasswordCost cost_;
    const PasswordLimits limits_;
    const std::string dummy_hash_;

    std::mutex mutex_;
    std::condition_variable has_left_;
    std::size_t running_ = 0;
    std::size_t waiting_ = 0;
};

}  // namespace synapsex::auth
