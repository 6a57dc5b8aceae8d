#include "agent/core/enrollment.hpp"

namespace synapsex::agent {

namespace {

// Only the control plane itself can refuse for good, and it says so in a problem document with a
// code. Anything else that answers in its place (a captive portal, a proxy, a load balancer without
// a server behind it) is about the moment, as are these few of the 4xx.
bool is_worth_repeating(const CallFailure& failure) {
    if (failure.kind == CallFailure::Kind::canceled) return false;
    if (failure.kind != CallFailure::Kind::refused) return true;
    const bool is_clients_fault = failure.status >= 300 && failure.status < 500;
    const bool is_about_the_moment =
        failure.status == 408 || failure.status == 425 || failure.status == 429;
    return failure.code.empty() || !is_clients_fault || is_about_the_moment;
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
