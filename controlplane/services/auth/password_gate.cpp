#include "controlplane/services/auth/password_gate.hpp"

#include <algorithm>

#include "controlplane/services/auth/problems.hpp"

namespace synapsex::auth {

PasswordGate::PasswordGate(
    const Clock& clock,
    Random& random,
    const crypto::PasswordCost& cost,
    const PasswordLimits& limits
)
    : clock_(clock),
      random_(random),
      cost_(cost),
      limits_(limits),
      dummy_hash_(crypto::hash_password(random.base62(32), random, cost)) {}

PasswordGate::Permit::~Permit() {
    if (!gate_) return;
    {
        const std::lock_guard lock{gate_->mutex_};
        --gate_->running_;
    }
    gate_->has_left_.notify_one();
}

Result<PasswordGate::Permit> PasswordGate::enter(const Call& call) {
    std::unique_lock lock{mutex_};
    const auto is_free = [&] { return running_ < limits_.running_max; };
    if (!is_free()) {
        if (waiting_ >= limits_.waiting_max) return busy();
        const auto wait = std::min<std::chrono::nanoseconds>(
            limits_.wait_max, call.deadline.remaining(clock_)
        );
        ++waiting_;
        const bool has_place = has_left_.wait_for(lock, wait, is_free);
        --waiting_;
        if (!has_place) return busy();
    }
    ++running_;
    return Permit{*this};
}

Result<std::string> PasswordGate::hash(const Call& call, std::string_view password) {
    SYNAPSEX_TRY(const auto permit, enter(call));
    return crypto::hash_password(password, random_, cost_);
}

Result<PasswordGate::Verdict> PasswordGate::check(
    const Call& call, std::string_view password, const std::optional<std::string>& stored
) {
    SYNAPSEX_TRY(const auto permit, enter(call));
    Verdict verdict;
    verdict.is_right = crypto::verify_password(password, stored.value_or(dummy_hash_)) && stored;
    if (verdict.is_right && crypto::needs_rehash(*stored, cost_))
        verdict.better_hash = crypto::hash_password(password, random_, cost_);
    return verdict;
}

}  // namespace synapsex::auth
