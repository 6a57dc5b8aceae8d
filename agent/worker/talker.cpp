#include "agent/worker/talker.hpp"

#include <utility>

#include "shared/base/log.hpp"

namespace synapsex::agent {

namespace {

constexpr std::chrono::minutes kInventoryInterval{1};
// Collecting takes milliseconds; where it takes longer the heartbeats go first.
constexpr std::chrono::seconds kInventoryPatience{1};
constexpr std::chrono::milliseconds kPausePatience{200};

std::string_view text_of(ExecutorProbe::State state) {
    return state == ExecutorProbe::State::unreachable ? "unreachable" : "ok";
}

// shared/proto/CAPABILITIES.md says what the numbers mean.
std::vector<std::uint32_t> capabilities_with(ExecutorProbe::State executor, bool is_paused) {
    std::vector<std::uint32_t> numbers{1, 2, 3};
    if (executor == ExecutorProbe::State::unprivileged) numbers.push_back(4);
    if (is_paused) numbers.push_back(5);
    return numbers;
}

}  // namespace

Talker::Talker(const TalkerParts& parts, TalkerFacts facts)
    : parts_(parts),
      facts_(std::move(facts)),
      control_plane_(parts.http, facts_.identity.url),
      conversation_(parts.clock, parts.random),
      state_writer_(facts_.state_path) {
    std::string incarnation = parts_.spool.server_incarnation();
    if (incarnation.empty()) incarnation = facts_.identity.server_incarnation;
    conversation_.set_server_incarnation(std::move(incarnation));
}

void Talker::run() {
    bool is_stopping = false;
    while (!has_stopped_) {
        if (!is_stopping && parts_.stop.is_requested()) {
            is_stopping = true;
            conversation_.stop("stopping");
            // The poll that was held has been canceled; the goodbye must not be.
            parts_.http.resume();
        }
        if (!is_stopping) look_at_inventory();
        const auto action = conversation_.next(parts_.spool.backlog());
        std::visit([this](const auto& wish) { act(wish); }, action);
    }
}

void Talker::act(const FetchToken&) {
    const AssertionClaims claims{
        .agent_id = facts_.identity.agent_id.text(),
        .issuer = facts_.identity.issuer,
        .issued_at = conversation_.assertion_time(),
    };
    auto token = control_plane_.fetch_token(sign_assertion(claims, facts_.key, parts_.random));
    if (token) return conversation_.on_token(*std::move(token));
    conversation_.on_token_failed(token.error());
    report(token.error(), "the access token was refused");
}

void Talker::act(const SendHeartbeat& wish) {
    const auto heartbeat = make_heartbeat(wish);
    if (wish.samples_max > 0) {
        alone_.clear();
        if (heartbeat.telemetry.size() == 1) alone_.push_back(heartbeat.telemetry.front().slot);
    }
    const auto answer = control_plane_.send_heartbeat(
        facts_.identity.agent_id, conversation_.access_token(), heartbeat
    );
    if (answer) return on_answer(*answer, heartbeat);
    conversation_.on_heartbeat_failed(answer.error());
    report(answer.error(), "the heartbeat failed");
}

Heartbeat Talker::make_heartbeat(const SendHeartbeat& wish) {
    const auto executor = parts_.executor.probe();
    look_at_pause();
    state_.executor = text_of(executor);
    state_.sequence = parts_.spool.next_sequence();
    return {
        .sequence = state_.sequence,
        .boot_id = facts_.boot_id,
        .agent_version = facts_.agent_version,
        .capabilities = capabilities_with(executor, pause_.has_value()),
        .hold = wish.hold,
        .hashes = wish.hashes,
        .telemetry = parts_.spool.oldest(wish.samples_max, TelemetryBatch::kBytesMax),
        .spool_dropped_samples = parts_.spool.dropped_samples(),
        .goodbye = wish.goodbye,
        .server_incarnation = conversation_.server_incarnation(),
        .executor = state_.executor,
        .pause = pause_,
    };
}

// While the disk hangs what was known before counts.
void Talker::look_at_pause() {
    if (!parts_.pause) return;
    const auto found = looking_at_pause_.ask(inventory_thread_, parts_.pause, kPausePatience);
    if (found) pause_ = *found;
}

void Talker::on_answer(const HeartbeatAnswer& answer, const Heartbeat& sent) {
    const auto forgotten = forget_stored(answer, sent);
    const auto known = conversation_.server_incarnation();
    conversation_.on_heartbeat(answer, forgotten);
    if (conversation_.server_incarnation() != known)
        parts_.spool.set_server_incarnation(conversation_.server_incarnation());
    const bool is_first = state_.last_heartbeat_at == Timestamp{};
    if (!last_reported_.empty() || is_first)
        log_info("connected to the control plane", {{"incarnation", answer.server_incarnation}});
    if (answer.reason == "superseded")
        log_warning("another connection of this agent has taken this one's place");
    last_reported_.clear();
    state_.last_problem.clear();
    state_.last_heartbeat_at = parts_.clock.now();
    write_state();
    if (is_first && parts_.on_first_answer) parts_.on_first_answer();
    notice_pins();
}

void Talker::notice_pins() {
    auto pins = parts_.http.pinned_authorities();
    if (pins == facts_.identity.authority_pins) return;
    facts_.identity.authority_pins = pins;
    if (!parts_.on_pins) return;
    inventory_thread_.post([on_pins = parts_.on_pins, pins = std::move(pins)] { on_pins(pins); });
}

// Exactly those that were sent and are stored, and none between them. How many are dealt with by
// that.
std::size_t Talker::forget_stored(const HeartbeatAnswer& answer, const Heartbeat& sent) {
    std::vector<std::int64_t> stored;
    for (const auto& sample : sent.telemetry)
        if (sample.slot <= answer.stored_through_slot) stored.push_back(sample.slot);
    parts_.spool.forget(stored);
    // A disk that is too full to forget gives the same ones again: no reason to hurry.
    const bool is_progress = stored != last_stored_;
    last_stored_ = std::move(stored);
    return is_progress ? last_stored_.size() : 0;
}

void Talker::act(const DropSample&) {
    log_warning("the control plane takes a sample in no way; it is dropped",
                {{"slot", alone_.empty() ? -1 : alone_.front()}});
    parts_.spool.drop(std::exchange(alone_, {}));
}

void Talker::act(const PutSection& wish) {
    const bool is_late = collecting_.is_under_way();
    const auto collect = [this, name = wish.section] {
        return Collected{name, parts_.inventory.collect(name)};
    };
    const auto collected = collecting_.ask(inventory_thread_, collect, kInventoryPatience);
    if (!collected) return conversation_.on_section_late();
    const SectionHash sent{collected->name, collected->section.hash};
    // What took long may be older than what was announced meanwhile: then it is asked for anew.
    if (is_late && sent != SectionHash{wish.section, wish.hash}) return;
    const auto stored = control_plane_.put_section(
        facts_.identity.agent_id,
        conversation_.access_token(),
        sent.section,
        collected->section.bytes
    );
    if (stored) return conversation_.on_section_stored(sent);
    conversation_.on_section_failed(sent, stored.error());
    report(stored.error(), "the inventory section was refused");
}

void Talker::act(const Wait& wish) { parts_.stop.wait_for(wish.time); }

void Talker::look_at_inventory() {
    const auto now = parts_.clock.steady_now();
    if (now < inventory_due_) return;
    const auto kind = inventory_due_ == SteadyTime{} ? Look::first : Look::later;
    const auto hashes =
        looking_.ask(inventory_thread_, [this, kind] { return look(kind); }, kInventoryPatience);
    if (!hashes) return;
    inventory_due_ = now + kInventoryInterval;
    for (const auto& hash : *hashes) conversation_.set_section(hash);
}

// On the inventory's thread.
std::vector<SectionHash> Talker::look(Look look) {
    std::vector<SectionHash> hashes;
    for (const auto& section : parts_.inventory.sections())
        if (look == Look::first || parts_.inventory.may_have_changed(section))
            hashes.push_back({section, parts_.inventory.collect(section).hash});
    return hashes;
}

// One line for each kind of failure in a row, not one for each attempt.
void Talker::report(const CallFailure& failure, std::string_view what) {
    if (failure.kind == CallFailure::Kind::canceled) return;
    state_.last_problem =
        failure.code.empty() ? "http." + std::to_string(failure.status) : failure.code;
    const auto key = std::string{what} + state_.last_problem;
    if (key != last_reported_)
        log_warning(what, {{"code", state_.last_problem},
                           {"status", failure.status},
                           {"detail", failure.detail}});
    last_reported_ = key;
    write_state();
}

void Talker::write_state() {
    state_.is_connected = conversation_.is_connected();
    state_.backlog = parts_.spool.backlog();
    state_.dropped_samples = parts_.spool.dropped_samples();
    state_.is_spool_in_memory = parts_.spool.is_in_memory();
    state_writer_.write(state_);
}

}  // namespace synapsex::agent
