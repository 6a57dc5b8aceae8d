#include "agent/core/conversation.hpp"

#include <algorithm>

namespace synapsex::agent {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
// Between two heartbeats at the least, whatever a server asks for.
constexpr milliseconds kGapMin{250};
constexpr milliseconds kNextAfterMax{15 * 60 * 1000};
// A cut may be a control plane that has crashed, and then a whole fleet is cut at once.
constexpr milliseconds kAfterCutMax{5'000};
constexpr milliseconds kAfterDrainMax{5'000};
// A disk that hangs or is full.
constexpr std::chrono::minutes kKeyAgainAfter{1};
// The server takes samples of up to an hour ahead.
constexpr std::chrono::minutes kClocksAgreeWithin{30};
// The sampler has written its slot by then; the jitter spreads a fleet whose clocks agree.
constexpr milliseconds kSampleDelay{500};
constexpr milliseconds kSampleJitter{1'000};

milliseconds round_up(std::chrono::nanoseconds time) {
    return std::chrono::ceil<milliseconds>(time);
}
}  // namespace

Conversation::Conversation(const Clock& clock, Random& random)
    : clock_(clock),
      random_(random),
      tokens_(clock, random),
      batch_(clock, random),
      sections_(clock, random) {}

Action Conversation::next(const Backlog& backlog) {
    if (is_stopping_) return next_when_stopping();
    const auto now = clock_.steady_now();
    if (now < not_before_) return Wait{round_up(not_before_ - now)};
    if (tokens_.is_fetch_due()) return FetchToken{keys_.slot()};
    if (tokens_.usable().empty()) return Wait{round_up(tokens_.not_before() - now)};
    if (now >= key_not_before_ && unsettled_) return SettleKey{*unsettled_};
    if (now >= key_not_before_ && is_registration_due()) return RegisterKey{};
    if (batch_.take_verdict()) return DropSample{};
    const auto section = sections_.due();
    if (section && !is_heartbeat_first_) return PutSection{section->section, section->hash};
    return make_heartbeat(backlog);
}

// Best effort: a server that was not reachable a moment ago is not worth the time of a stop.
Action Conversation::next_when_stopping() {
    if (!is_connected_ || tokens_.usable().empty() || goodbye_.empty()) return Stop{};
    sent_ = SendHeartbeat{.samples_max = samples_max(), .goodbye = std::move(goodbye_)};
    goodbye_.clear();
    samples_sent_ = 0;
    sent_at_ = clock_.steady_now();
    return sent_;
}

bool Conversation::do_clocks_agree() const {
    return std::chrono::abs(server_ahead_) <= kClocksAgreeWithin;
}

std::size_t Conversation::samples_max() const {
    return do_clocks_agree() ? batch_.samples_max() : 0;
}

SendHeartbeat Conversation::make_heartbeat(const Backlog& backlog) {
    const auto most = samples_max();
    const bool is_behind =
        most > 0 && (backlog.samples > most || backlog.bytes > batch_.kBytesMax);
    // Samples that the server does not store are no reason to hurry. The first one, at the start
    // and after an outage or a cut, is answered at once: until then nobody knows that all is well.
    // So a proxy that cuts even the shortest hold costs requests, but neither presence nor
    // telemetry. Sections that wait for this heartbeat should not wait long.
    const bool is_in_hurry = !is_connected_ || is_just_cut_ || is_live() ||
                             (is_behind && !is_telemetry_stuck_) || sections_.due();
    is_heartbeat_first_ = false;
    samples_sent_ = std::min(most, backlog.samples);
    sent_ = SendHeartbeat{
        .hold = is_in_hurry ? seconds{0} : hold_.current(),
        .samples_max = most,
        .hashes = sections_.unannounced(),
    };
    sent_at_ = clock_.steady_now();
    return sent_;
}

// A next key that is there although the current one is taken: its registration broke off, or the
// control plane came back from a backup.
bool Conversation::is_registration_due() const {
    return keys_.slot() == KeySlot::current && (is_key_wanted_ || keys_.has_next());
}

void Conversation::on_token(AccessToken token) {
    tokens_.on_fetched(std::move(token));
    is_token_fresh_ = true;
    forgotten_.reset();
    keys_.on_taken();
    unsettled_.reset();
    if (keys_.slot() != KeySlot::current) unsettled_ = keys_.slot();
}

std::optional<CallFailure> Conversation::on_token_failed(const CallFailure& failure) {
    if (failure.kind == CallFailure::Kind::canceled) return failure;
    if (failure.server_time) server_ahead_ = *failure.server_time - clock_.now();
    const bool is_of_key = is_another_key(failure);
    if (is_of_key) unsettled_.reset();
    if (is_forgotten(failure) && !forgotten_) forgotten_ = failure;
    // Another one is asked with at once: there are at most three.
    const bool is_another_tried = is_of_key && keys_.on_refused();
    std::optional<CallFailure> told;
    if (!is_another_tried) {
        // What is said of an older key hides nothing.
        told = is_of_key ? forgotten_.value_or(failure) : failure;
        forgotten_.reset();
        tokens_.on_failed(*told);
    }
    if (tokens_.usable().empty()) is_connected_ = false;
    return told;
}

void Conversation::set_keys(bool has_next, bool has_former) {
    keys_.set_available(has_next, has_former);
    unsettled_.reset();
}

void Conversation::on_key_registered() {
    key_backoff_.reset();
    is_key_wanted_ = false;
    keys_.use_next();
    // The next token is bought with it, which ends the former one.
    tokens_.drop();
}

void Conversation::on_key_late() { key_not_before_ = clock_.steady_now() + kKeyAgainAfter; }

void Conversation::on_key_failed(const CallFailure& failure) {
    if (failure.kind == CallFailure::Kind::canceled) return;
    key_not_before_ = clock_.steady_now() + wait_after(failure, key_backoff_, random_);
    if (failure.status == 401) on_unauthenticated(failure);
}

void Conversation::on_heartbeat(const HeartbeatAnswer& answer, std::size_t samples_forgotten) {
    is_connected_ = true;
    is_token_fresh_ = false;
    is_just_cut_ = false;
    backoff_.reset();
    batch_.on_taken(samples_sent_);
    is_telemetry_stuck_ = samples_sent_ > 0 && samples_forgotten == 0;

    hold_.limit_to(answer.hold_max);
    const auto held = clock_.steady_now() - sent_at_;
    if (sent_.hold > seconds{0} && held + seconds{1} >= sent_.hold) hold_.on_held();

    sections_.on_announced(sent_.hashes);
    learn_incarnation(answer.server_incarnation);
    sections_.want(answer.want_sections);
    is_key_wanted_ = answer.rotate_key;
    server_ahead_ = answer.server_time - clock_.now();
    // Both instants are the server's, so that this machine's clock does not matter.
    const auto live_for = answer.live_until - answer.server_time;
    live_until_ = clock_.steady_now() + std::clamp(live_for, decltype(live_for){0},
                                                   decltype(live_for){std::chrono::hours{1}});
    plan_after_answer(answer);
}

void Conversation::learn_incarnation(const std::string& incarnation) {
    if (incarnation.empty() || incarnation == incarnation_) return;
    if (!incarnation_.empty()) sections_.forget_server();
    incarnation_ = incarnation;
}

void Conversation::plan_after_answer(const HeartbeatAnswer& answer) {
    auto wait = std::clamp(answer.next_after, kGapMin, kNextAfterMax);
    if (answer.reason == "superseded") {
        // Somebody else polls as this agent, or our own last poll still hangs in a proxy. Whoever
        // waits longer each time ends the duel.
        wait = std::max(wait, seconds{1} + supersede_backoff_.next(random_));
    } else {
        supersede_backoff_.reset();
    }
    if (answer.reason == "draining") wait = std::max(wait, jitter(kAfterDrainMax, random_));
    if (is_live()) wait = std::max(wait, until_next_sample());
    pause(wait);
}

milliseconds Conversation::until_next_sample() {
    const auto now = clock_.now();
    const auto slot_end = start_of_slot(slot_of(now) + 1);
    return round_up(slot_end - now) + kSampleDelay + jitter(kSampleJitter, random_);
}

bool Conversation::was_cut_while_held(const CallFailure& failure) const {
    const bool is_cut = failure.kind == CallFailure::Kind::cut ||
                        failure.kind == CallFailure::Kind::timeout || failure.status == 502 ||
                        failure.status == 504;
    const auto held = clock_.steady_now() - sent_at_;
    return is_cut && sent_.hold > seconds{0} && held >= HoldProposal::kQuietMin;
}

void Conversation::on_heartbeat_failed(const CallFailure& failure) {
    if (failure.kind == CallFailure::Kind::canceled) return;
    if (was_cut_while_held(failure)) return on_cut();
    is_connected_ = false;
    if (failure.status == 401) return on_unauthenticated(failure);
    if (failure.status == 503 && samples_sent_ > 0) batch_.on_not_stored();
    const bool is_body_refused =
        failure.status == 400 || failure.status == 413 || failure.status == 422;
    if (is_body_refused) batch_.on_refused(samples_sent_);
    back_off(failure);
}

// Not yet an outage: whether it is one shows the next attempt, which is not held.
void Conversation::on_cut() {
    hold_.on_cut(clock_.steady_now() - sent_at_);
    is_just_cut_ = true;
    pause(jitter(kAfterCutMax, random_));
}

void Conversation::on_unauthenticated(const CallFailure& failure) {
    tokens_.drop();
    // A token that was fetched for this very call and refused as well: something else is wrong.
    if (is_token_fresh_) back_off(failure);
    is_token_fresh_ = false;
}

void Conversation::on_section_stored(const SectionHash& stored) { sections_.on_stored(stored); }

void Conversation::on_section_late() {
    is_heartbeat_first_ = true;
    sections_.postpone();
}

void Conversation::on_section_failed(const SectionHash& sent, const CallFailure& failure) {
    if (failure.kind == CallFailure::Kind::canceled) return;
    is_heartbeat_first_ = true;
    sections_.on_refused(sent, failure);
    if (failure.status == 401) on_unauthenticated(failure);
    // The clock was set since the last token; the next one's assertion learns by how much.
    if (failure.code == "inventory.signature_skewed") tokens_.drop();
}

void Conversation::stop(std::string goodbye) {
    is_stopping_ = true;
    goodbye_ = std::move(goodbye);
}

void Conversation::pause(milliseconds time) { not_before_ = clock_.steady_now() + time; }

void Conversation::back_off(const CallFailure& failure) {
    pause(wait_after(failure, backoff_, random_));
}

}  // namespace synapsex::agent
