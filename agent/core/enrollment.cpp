#include "agent/core/enrollment.hpp"

namespace synapsex::agent {

namespace {

// Of the 4xx these alone are about the moment rather than about what was asked.
bool is_worth_repeating(const CallFailure& failure) {
    if (failure.kind == CallFailure::Kind::canceled) return false;
    if (failure.kind != CallFailure::Kind::refused) return true;
    const bool is_clients_fault = failure.status >= 300 && failure.status < 500;
    return !is_clients_fault || failure.status == 408 || failure.status == 425 ||
           failure.status == 429;
}

}  // namespace

std::variant<Enrollment::Retry, Enrollment::GiveUp> Enrollment::on_failed(
    const CallFailure& failure
) {
    if (is_worth_repeating(failure)) return Retry{wait_after(failure, backoff_, random_)};
    if (failure.kind == CallFailure::Kind::canceled) return GiveUp{"The agent was stopped."};
    std::string reason = "The control plane refuses the enrollment (" +
                         std::to_string(failure.status) +
                         (failure.code.empty() ? "" : " " + failure.code) + ")";
    if (!failure.detail.empty()) reason += ": " + failure.detail;
    return GiveUp{std::move(reason)};
}

}  // namespace synapsex::agent
