#include "controlplane/services/agent_registry/heartbeats.hpp"

#include <algorithm>
#include <array>

#include "controlplane/services/agent_registry/agents.hpp"
#include "shared/base/log.hpp"
#include "shared/base/utf8.hpp"

namespace synapsex::agent_registry {

namespace {

constexpr std::size_t kShortTextMax = 64;
constexpr std::size_t kPauseReasonMax = 200;
// When the server stops, agents come back spread over this time, not all at once.
constexpr std::chrono::milliseconds kDrainSpread{5000};
// Changes in one transaction: at a start all agents have changed, and heartbeats wait meanwhile.
constexpr std::size_t kFlushBatch = 500;
constexpr std::chrono::seconds kFinishTime{5};
constexpr db::SystemScope kWritePresence{"agent_registry.write_presence"};

std::string_view reason_of(api::Wake wake) {
    switch (wake) {
        case api::Wake::timeout: return "timeout";
        case api::Wake::news: return "news";
        case api::Wake::superseded: return "superseded";
        case api::Wake::draining: return "draining";
    }
    return "news";
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// What protobuf does not limit and the walker does not know.
Result<Done> check_limits(const Heartbeat& heartbeat) {
    const auto wrong = [](std::string_view pointer, std::string code, std::string detail) {
        return Problem{
            Kind::invalid, "heartbeat.invalid", "The heartbeat breaks a limit.",
            {{std::string{pointer}, std::move(code), std::move(detail)}}
        };
    };
    if (heartbeat.capabilities.size() > kCapabilitiesMax)
        return wrong("/capabilities", "too_long", "At most 64 items.");
    if (heartbeat.hashes.size() > kCapabilitiesMax)
        return wrong("/hashes", "too_long", "At most 64 items.");
    const std::array<std::pair<std::string_view, std::string_view>, 4> texts{{
        {"/agentVersion", heartbeat.agent_version},
        {"/bootId", heartbeat.boot_id},
        {"/goodbye", heartbeat.goodbye},
        {"/executor", heartbeat.executor},
    }};
    for (const auto& [pointer, text] : texts) {
        if (text.size() > kShortTextMax) return wrong(pointer, "too_long", "At most 64 bytes.");
        if (std::ranges::any_of(text, is_control))
            return wrong(pointer, "malformed", "Control characters are not allowed.");
    }
    return Done{};
}

// The reason is a person's text: too long or of several lines, it is cut to what can be shown.
// Nobody falls silent for it.
std::optional<Pause> to_pause(const std::optional<VmPause>& told) {
    if (!told) return std::nullopt;
    Pause pause{told->since, told->until, {}};
    for (std::string_view rest = told->reason; !rest.empty();) {
        const auto size = std::max<std::size_t>(utf8_sequence_size(rest), 1);
        if (pause.reason.size() + size > kPauseReasonMax) break;
        pause.reason += is_control(rest.front()) ? " " : rest.substr(0, size);
        rest.remove_prefix(size);
    }
    return pause;
}

std::string join(const std::vector<std::int64_t>& numbers) {
    std::string text;
    for (const auto number : numbers) {
        if (!text.empty()) text += ',';
        text += std::to_string(number);
    }
    return text;
}

Contact to_contact(const Heartbeat& heartbeat) {
    const bool is_degraded = !heartbeat.executor.empty() && heartbeat.executor != "ok";
    return {
        .sequence = heartbeat.sequence,
        .version = heartbeat.agent_version,
        .capabilities = join(heartbeat.capabilities),
        .boot_id = heartbeat.boot_id,
        .condition = is_degraded ? Condition::degraded : Condition::ok,
        .goodbye = heartbeat.goodbye,
        .pause = to_pause(heartbeat.pause),
    };
}

Problem no_such_agent() {
    return {Kind::not_found, "agents.not_found", "There is no such agent."};
}

// What kept the work from being done; nullopt: nothing did. A database that is broken throws, and
// its work has to be done again like any other.
std::optional<std::string> failure_of(const std::function<Result<Done>()>& work) {
    try {
        const auto outcome = work();
        if (outcome) return std::nullopt;
        return outcome.error().code;
    } catch (const std::exception& error) {
        return error.what();
    }
}

void log_states(std::span<const PresenceChange> changes) {
    for (const auto& change : changes)
        if (change.is_state_new)
            log_info(
                "agent state changed", {{"agentId", change.sighting.agent_id.text()},
                                        {"tenantId", change.sighting.tenant_id.text()},
                                        {"state", enum_name(change.sighting.state)}}
            );
}

}  // namespace

Heartbeats::Heartbeats(const Parts& parts)
    : parts_(parts),
      heartbeats_(parts.metrics.counter("synapsex_heartbeats_total", "Heartbeats taken.")) {
    parts.metrics.gauge(
        "synapsex_agents_parked",
        "Heartbeats held open now.",
        [&parking = parts.parking] { return static_cast<double>(parking.size()); }
    );
    for (const auto state : {State::unknown, State::online, State::degraded, State::late,
                             State::offline, State::lost, State::rebooting}) {
        const Labels labels{{"state", std::string{enum_name(state)}}};
        parts.metrics.gauge(
            "synapsex_agents", "Agents by state.",
            [&presence = parts.presence, state] {
                return static_cast<double>(presence.count(state));
            },
            labels
        );
    }
}

HeartbeatAnswer Heartbeats::answer(const AgentId& agent, std::string_view reason) {
    const auto now = parts_.clock.now();
    HeartbeatAnswer answer;
    answer.server_time = now;
    answer.server_incarnation = parts_.incarnation;
    answer.hold_seconds = kHoldMax.count();
    answer.reason = reason;
    answer.rotate_key = parts_.presence.is_key_wanted(agent);
    const auto live_until = parts_.vms.live_until(VmId::derived_from(agent));
    if (live_until > now) answer.live_until = live_until;
    if (reason == reason_of(api::Wake::draining)) {
        const auto spread = static_cast<std::uint64_t>(kDrainSpread.count());
        answer.next_after_ms = static_cast<std::int64_t>(parts_.random.below(spread));
    }
    return answer;
}

Result<std::vector<SectionName>> Heartbeats::wanted_sections(
    const Call& call, const VmId& vm, const Heartbeat& heartbeat
) {
    std::vector<SectionName> wanted;
    if (heartbeat.hashes.empty()) return wanted;
    SYNAPSEX_TRY(const auto stored, parts_.vms.section_hashes(call, call.tenant, vm));
    for (const auto& [section, hash] : heartbeat.hashes) {
        const auto found = stored.find(std::string{enum_name(section)});
        if (found == stored.end() || found->second != hash.value) wanted.push_back(section);
    }
    return wanted;
}

Result<api::HeldOr<HeartbeatAnswer>> Heartbeats::beat(
    const Call& call, const Heartbeat& heartbeat
) {
    if (call.principal->agent != heartbeat.agent_id) return no_such_agent();
    SYNAPSEX_CHECK(check_limits(heartbeat));
    heartbeats_.add();
    const auto vm = VmId::derived_from(heartbeat.agent_id);

    // Parked before anything is looked up, so that what happens from here on wakes it.
    auto ticket = parts_.parking.park(heartbeat.agent_id.text());
    if (!parts_.presence.knows(heartbeat.agent_id))
        SYNAPSEX_CHECK(learn(call, heartbeat.agent_id));
    // Before the telemetry: an agent whose samples find no room lives all the same.
    if (parts_.presence.contact(heartbeat.agent_id, to_contact(heartbeat)) && on_change_)
        on_change_();
    auto taken = vm_registry::Taken::stored;
    if (!heartbeat.telemetry.empty()) {
        SYNAPSEX_TRY(
            taken, parts_.vms.store_samples(call, call.tenant, vm, heartbeat.telemetry)
        );
    }
    SYNAPSEX_TRY(auto wanted, wanted_sections(call, vm, heartbeat));

    auto now_answer = answer(heartbeat.agent_id, "news");
    if (!heartbeat.telemetry.empty() && taken == vm_registry::Taken::stored)
        now_answer.stored_through_slot = heartbeat.telemetry.back().slot;
    now_answer.want_sections = std::move(wanted);
    const auto hold = std::min<std::chrono::seconds>(
        kHoldMax, std::chrono::seconds{std::max<std::int64_t>(heartbeat.hold_seconds, 0)}
    );
    const bool is_answered_now = hold.count() == 0 || !heartbeat.goodbye.empty() ||
                                 !now_answer.want_sections.empty() || now_answer.live_until;
    if (is_answered_now) return api::HeldOr<HeartbeatAnswer>{std::move(now_answer)};

    api::Held<HeartbeatAnswer> held;
    held.ticket = std::move(ticket);
    held.hold = hold;
    held.finish = [this, tenant = call.tenant, agent = heartbeat.agent_id,
                   stored = now_answer.stored_through_slot](
                      api::Wake wake
                  ) -> Result<HeartbeatAnswer> {
        SYNAPSEX_CHECK(check_not_removed(tenant, agent));
        parts_.presence.touch(agent);
        auto late_answer = answer(agent, reason_of(wake));
        late_answer.stored_through_slot = stored;
        return late_answer;
    };
    return api::HeldOr<HeartbeatAnswer>{std::move(held)};
}

// An agent that is not known here has gone to another replica, unless it was removed.
Result<Done> Heartbeats::check_not_removed(const TenantId& tenant, const AgentId& agent) {
    if (parts_.presence.knows(agent)) return Done{};
    const auto call = Call::system(
        "agent_registry.finish_poll", Deadline::after(parts_.clock, kFinishTime)
    );
    return parts_.database.read(
        call.of_tenant(tenant), [&](db::Session& session) -> Result<Done> {
            if (AgentStore{session}.find(tenant, agent)) return Done{};
            return agent_revoked();
        }
    );
}

// Another replica enrolled it, or had it until now.
Result<Done> Heartbeats::learn(const Call& call, const AgentId& agent) {
    return parts_.database.read(call, [&](db::Session& session) -> Result<Done> {
        const auto row = AgentStore{session}.find(call.tenant, agent);
        if (!row) return no_such_agent();
        parts_.presence.add(*row);
        return Done{};
    });
}

void Heartbeats::wake(const AgentId& agent) {
    parts_.parking.wake(agent.text(), api::Wake::news);
}

Result<Done> Heartbeats::write_presence(
    const Call& call, std::span<const PresenceChange> changes
) {
    std::vector<PresenceChange> written;
    std::vector<PresenceChange> refused;
    const auto& replica = parts_.presence.replica();
    SYNAPSEX_CHECK(parts_.database.write(
        kWritePresence, call, [&](db::Session& session) -> Result<Done> {
            written.clear();
            refused.clear();
            AgentStore store{session};
            for (const auto& change : changes) {
                const bool is_ours = store.put_sighting(
                    change.sighting, replica, change.heard_by, change.is_claim
                );
                (is_ours ? written : refused).push_back(change);
            }
            return Done{};
        }
    ));
    parts_.presence.keep(written);
    parts_.presence.let_go(refused);
    log_states(written);
    if (written.empty()) return Done{};
    std::vector<vm_registry::Presence> presences;
    for (const auto& change : written) {
        const auto& sighting = change.sighting;
        const vm_registry::Presence presence{
            sighting.tenant_id, change.vm_id, sighting.state, sighting.last_seen_at
        };
        presences.push_back(presence);
    }
    return parts_.vms.set_presence(call, presences);
}

void Heartbeats::flush(const Call& call) {
    const auto open = parts_.parking.keys();
    parts_.presence.touch_open([&](const AgentId& agent) { return open.contains(agent.text()); });
    const auto changes = parts_.presence.sweep();
    for (std::span<const PresenceChange> rest{changes}; !rest.empty();) {
        const auto batch = rest.first(std::min(rest.size(), kFlushBatch));
        rest = rest.subspan(batch.size());
        const auto failure = failure_of([&] { return write_presence(call, batch); });
        if (!failure) continue;
        parts_.presence.put_back(batch);
        log_warning(
            "presence not written, will be again", {{"agents", batch.size()}, {"error", *failure}}
        );
    }
}

}  // namespace synapsex::agent_registry
