#include "agent/worker/certificate_clock.hpp"

namespace synapsex::agent {

namespace {
constexpr std::chrono::seconds kClocksDrift{30};
}  // namespace

std::optional<Timestamp> CertificateClock::proven_now() const {
    using std::chrono::duration_cast;
    using std::chrono::microseconds;
    if (!proof_) return std::nullopt;
    const auto passed = duration_cast<microseconds>(clock_.steady_now() - proof_->asked.steady);
    const auto by_wall = clock_.now() - proof_->asked.wall;
    if (passed > kProofLife || std::chrono::abs(by_wall - passed) > kClocksDrift)
        return std::nullopt;
    return proof_->time + passed;
}

net::HeldTime CertificateClock::now() {
    const auto wall = clock_.now();
    const auto proven = proven_now();
    const auto time = proven.value_or(wall);
    const auto at = floor_.at_least(time);
    was_proof_used_ = proven && at == time;
    was_floor_used_ = at != time;
    auto others = "this machine's clock says " + format_rfc3339(wall);
    if (was_proof_used_)
        return {
            time, "the time that the control plane has proved (" + others + ")",
            "renew the certificate"};
    if (at == time) return time;
    if (proven) others += ", the control plane has proved " + format_rfc3339(*proven);
    return {
        at, "time.floor (" + others + ")",
        "renew the certificate; if it is not that late yet both clocks were wrong once: set them "
        "and delete time.floor"};
}

}  // namespace synapsex::agent
