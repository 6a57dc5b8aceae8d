#include "agent/core/access_tokens.hpp"

namespace synapsex::agent {

namespace {
const std::string kNone;
}

const std::string& AccessTokens::usable() const {
    return clock_.steady_now() < expires_at_ ? token_ : kNone;
}

bool AccessTokens::is_fetch_due() const {
    const auto now = clock_.steady_now();
    return now >= not_before_ && (usable().empty() || now >= refresh_at_);
}

void AccessTokens::on_fetched(AccessToken token) {
    const auto now = clock_.steady_now();
    token_ = std::move(token.text);
    refresh_at_ = now + token.lifetime * 4 / 5;
    expires_at_ = now + token.lifetime;
    not_before_ = now;
    backoff_.reset();
    is_skew_fresh_ = false;
}

void AccessTokens::on_failed(const CallFailure& failure) {
    not_before_ = clock_.steady_now() + wait_for(failure);
}

std::chrono::milliseconds AccessTokens::wait_for(const CallFailure& failure) {
    if (is_forgotten(failure)) return long_silence(random_);
    // A clock that is about a minute behind makes assertions that have just expired.
    const bool is_about_time =
        failure.code == "auth.assertion_skewed" || failure.code == "auth.assertion_expired";
    if (!is_about_time || !failure.server_time) return wait_after(failure, backoff_, random_);
    skew_ = *failure.server_time - clock_.now();
    // Worth one attempt at once. A second refusal in a row says that the two clocks drift or that
    // the server contradicts itself: then it is a failure like any other.
    if (is_skew_fresh_) return wait_after(failure, backoff_, random_);
    is_skew_fresh_ = true;
    return std::chrono::milliseconds{0};
}

}  // namespace synapsex::agent
