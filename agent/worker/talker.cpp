#include "agent/worker/talker.hpp"

#include <algorithm>
#include <utility>

#include "agent/core/waits.hpp"
#include "shared/base/log.hpp"

namespace synapsex::agent {

namespace {

constexpr std::chrono::minutes kInventoryInterval{1};
// Collecting takes milliseconds; where it takes longer the heartbeats go first.
constexpr std::chrono::seconds kInventoryPatience{1};
constexpr std::chrono::milliseconds kPausePatience{200};
// What `status` says of: an agent that is only backing off is heard of within two minutes.
constexpr std::chrono::minutes kLongWait{3};

std::string_view text_of(ExecutorProbe::State state) {
    return state == ExecutorProbe::State::unreachable ? "unreachable" : "ok";
}

// shared/proto/CAPABILITIES.md says what the numbers mean.
std::vector<std::uint32_t> capabilities_with(ExecutorProbe::State executor, bool is_paused) {
    std::vector<std::uint32_t> numbers{1, 2, 3};
    if (executor == ExecutorProbe::State::unprivileged) numbers.push_back(4);
    numbers.push_back(5);
    if (is_paused) numbers.push_back(6);
    numbers.push_back(7);
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
    notice_keys();
}

Talker::End Talker::run() {
    bool is_stopping = false;
    while (!has_stopped_) {
        if (is_token_found_) return End::token_found;
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
    return End::stopped;
}

void Talker::act(const FetchToken& wish) {
    const AssertionClaims claims{
        .agent_id = facts_.identity.agent_id.text(),
        .issuer = facts_.identity.issuer,
        .issued_at = conversation_.assertion_time(),
    };
    auto token = control_plane_.fetch_token(
        sign_assertion(claims, facts_.keys.at(wish.key), parts_.random)
    );
    if (!token) {
        const auto told = conversation_.on_token_failed(token.error());
        if (told) report(*told, "the access token was refused");
        if (told) is_forgotten_ = is_forgotten(*told);
        return;
    }
    is_forgotten_ = false;
    conversation_.on_token(*std::move(token));
    inventory_thread_.post([files = parts_.key_files, now = parts_.clock.now()] {
        files.drop_old_former(now);
    });
}

void Talker::notice_keys() {
    const auto& keys = facts_.keys;
    conversation_.set_keys(keys.next.has_value(), keys.former.has_value());
    state_.key_id = keys.current.key_id();
}

void Talker::act(const SettleKey& wish) {
    const auto settle = [files = parts_.key_files, taken = wish.taken] {
        return files.settle(taken);
    };
    const auto settled = settling_.ask(inventory_thread_, settle, kInventoryPatience);
    if (settled && !*settled)
        log_warning("the key that the control plane takes is not stored; it will be again",
                    {{"detail", settled->error().detail}});
    if (!settled || !*settled) return conversation_.on_key_late();
    auto& keys = facts_.keys;
    auto taken = keys.at(wish.taken);
    auto& other = wish.taken == KeySlot::next ? keys.former : keys.next;
    other = std::exchange(keys.current, std::move(taken));
    (wish.taken == KeySlot::next ? keys.next : keys.former).reset();
    log_info("the agent has another key", {{"keyId", keys.current.key_id()}});
    notice_keys();
    write_state();
}

void Talker::act(const RegisterKey&) {
    const auto make = [files = parts_.key_files, &random = parts_.random] {
        return files.load_or_make_next(random);
    };
    const auto made = making_key_.ask(inventory_thread_, make, kInventoryPatience);
    if (made && !*made)
        log_warning("the agent cannot make another key", {{"detail", made->error().detail}});
    if (!made || !*made) return conversation_.on_key_late();
    facts_.keys.next = **made;
    notice_keys();
    const auto offer = offer_key(facts_.identity, facts_.keys.current, *facts_.keys.next);
    const auto taken = control_plane_.put_key(
        facts_.identity.agent_id, conversation_.access_token(), offer
    );
    if (taken) return conversation_.on_key_registered();
    conversation_.on_key_failed(taken.error());
    report(taken.error(), "the agent's next key was refused");
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
    state_.last_problem_detail.clear();
    state_.last_heartbeat_at = parts_.clock.now();
    notice_clocks(answer.server_time);
    write_state();
    if (is_first && parts_.on_first_answer) parts_.on_first_answer();
    notice_pins();
}

void Talker::notice_clocks(Timestamp server_time) {
    if (conversation_.do_clocks_agree())
        inventory_thread_.post([&floor = parts_.time_floor, server_time] {
            floor.raise(server_time);
        });
    const bool is_disputed = !conversation_.do_clocks_agree();
    state_.clock_ahead =
        std::chrono::round<std::chrono::seconds>(parts_.clock.now() - server_time);
    if (is_disputed == state_.is_time_disputed) return;
    state_.is_time_disputed = is_disputed;
    if (is_disputed)
        log_warning("this machine's clock and the control plane's disagree; samples wait until "
                    "they agree: set the one that is wrong",
                    {{"machine", format_rfc3339(parts_.clock.now())},
                     {"controlPlane", format_rfc3339(server_time)}});
    else
        log_info("this machine's clock and the control plane's agree again");
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
    const ReportedSection reported{
        .agent_id = facts_.identity.agent_id,
        .section = sent.section,
        .content = collected->section.bytes,
        .signed_at = conversation_.assertion_time(),
    };
    const auto stored = control_plane_.put_section(
        conversation_.access_token(), reported, facts_.keys.at(conversation_.signing_key())
    );
    if (stored) return conversation_.on_section_stored(sent);
    conversation_.on_section_failed(sent, stored.error());
    report(stored.error(), "the inventory section was refused");
}

void Talker::act(const Wait& wish) {
    const bool is_silence = wish.time >= kLongWait && !conversation_.is_connected();
    if (is_silence) {
        state_.asks_again_at = parts_.clock.now() + wish.time;
        write_state();
    }
    if (is_silence && is_forgotten_) wait_for_token(wish.time);
    else parts_.stop.wait_for(wish.time);
    state_.asks_again_at = {};
}

// Whoever puts one there should not have to wait for the end of the silence. Each look is a while
// after the last one, and after the last request.
void Talker::wait_for_token(std::chrono::milliseconds time) {
    const auto end = parts_.clock.steady_now() + time;
    while (!is_token_found_) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            end - parts_.clock.steady_now()
        );
        if (left.count() <= 0 || parts_.stop.wait_for(std::min(left, parts_.token_look_every)))
            return;
        if (!parts_.is_token_there) continue;
        const auto found = looking_for_token_.ask(
            inventory_thread_, parts_.is_token_there, kInventoryPatience
        );
        is_token_found_ = found.value_or(false);
    }
}

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
    state_.last_problem_detail = failure.detail;
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
    state_.is_time_proven = parts_.certificate_clock.was_proof_used();
    state_writer_.write(state_);
}

}  // namespace synapsex::agent
