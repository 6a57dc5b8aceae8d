#include "controlplane/services/agent_registry/agents.hpp"

#include <algorithm>
#include <charconv>

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/agent_registry/agent_keys.hpp"
#include "shared/base/log.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::agent_registry {

namespace {

constexpr db::SystemScope kGetIdentity{"agent_registry.get_identity"};
constexpr db::SystemScope kPruneRemoved{"agent_registry.prune_removed"};
constexpr std::int64_t kPruneBatch = 100;
constexpr std::int64_t kPausedCapability = 6;  // shared/proto/CAPABILITIES.md

Problem no_such_agent() {
    return {Kind::not_found, "agents.not_found", "There is no such agent."};
}

Problem refused(std::string_view code, std::string_view detail) {
    return {Kind::unauthenticated, std::string{code}, std::string{detail}};
}

std::vector<std::int64_t> split_numbers(std::string_view text) {
    std::vector<std::int64_t> numbers;
    while (!text.empty()) {
        std::int64_t number = 0;
        const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
        numbers.push_back(number);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (!text.empty()) text.remove_prefix(1);
    }
    return numbers;
}

Agent to_api(const AgentRow& row) {
    Agent agent;
    agent.id = row.agent_id;
    agent.name = row.name;
    agent.vm_id = row.vm_id;
    agent.status = row.state;
    agent.description = row.description;
    agent.version = row.version;
    agent.capabilities = split_numbers(row.capabilities);
    agent.key = {key_id_of(row.public_key), row.key_since.value_or(row.created_at), {},
                 row.key_wanted_at};
    if (!row.next_public_key.empty()) agent.key.next_id = key_id_of(row.next_public_key);
    // The capability, too: a replica of an older release writes that alone.
    const bool is_paused = std::ranges::count(agent.capabilities, kPausedCapability) > 0;
    if (const auto pause = pause_of(row); pause && is_paused)
        agent.pause = {pause->since, pause->until, pause->reason};
    agent.last_seen_at = row.last_seen_at;
    agent.created_at = row.created_at;
    agent.updated_at = row.updated_at;
    return agent;
}

}  // namespace

Problem agent_revoked() {
    return refused(
        "auth.agent_revoked",
        "The agent was removed. To enroll it again, give it a new enrollment token."
    );
}

std::string news_of(const AgentRow& row) {
    return api::JsonObjectText{}
        .add_text("id", row.agent_id.text())
        .add_text("vmId", row.vm_id.text())
        .add_text("name", row.name)
        .add_text("description", row.description)
        .add_text("platform", row.platform)
        .finish();
}

Agent Agents::shown(const AgentRow& row) const {
    auto agent = to_api(row);
    // The row is written behind.
    // Later than the row, unless the agent has gone to another replica meanwhile.
    if (const auto seen = parts_.presence.last_seen(row.agent_id))
        agent.last_seen_at = std::max(agent.last_seen_at, seen);
    return agent;
}

Result<api::WithHeaders<AgentList>> Agents::list(const Call& call, const ListAgents& wish) {
    SYNAPSEX_TRY(const std::string after, api::decode_id_cursor<AgentId>(wish.cursor));
    const std::string state{wish.status ? enum_name(*wish.status) : std::string_view{}};
    const std::int64_t limit = wish.limit.value;
    SYNAPSEX_TRY(
        auto rows,
        parts_.database.read(call, [&](db::Session& session) -> Result<std::vector<AgentRow>> {
            return AgentStore{session}.list(call.tenant, after, state, limit + 1);
        })
    );
    const auto cursor =
        api::cut_page(rows, limit, [](const AgentRow& row) { return row.agent_id.text(); });
    api::WithHeaders<AgentList> answer;
    for (const auto& row : rows) answer.value.push_back(shown(row));
    if (cursor)
        answer.headers.emplace_back("Link", api::next_link(kListAgents.info(), wish, *cursor));
    return answer;
}

Result<Agent> Agents::get(const Call& call, const AgentPath& path) {
    return parts_.database.read(call, [&](db::Session& session) -> Result<Agent> {
        const auto row = AgentStore{session}.find(call.tenant, path.agent_id);
        if (!row) return no_such_agent();
        return shown(*row);
    });
}

Result<Agent> Agents::update(const Call& call, const UpdateAgent& wish) {
    const auto now = parts_.clock.now();
    const auto news = outbox::MessageId::make(now, parts_.random);
    SYNAPSEX_TRY(
        auto row,
        parts_.database.write(call, [&](db::Session& session) -> Result<AgentRow> {
            AgentStore store{session};
            auto found = store.find(call.tenant, wish.agent_id);
            if (!found) return no_such_agent();
            if (wish.name) found->name = wish.name->value;
            if (wish.description) found->description = wish.description->value;
            found->updated_at = now;
            store.update(call.tenant, wish.agent_id, found->name, found->description, now);
            outbox::add(
                session, call,
                {news, now, "agent.updated", wish.agent_id.text(), news_of(*found)}
            );
            return *found;
        })
    );
    if (wish.name)
        SYNAPSEX_CHECK(parts_.vms.rename_vm(call, call.tenant, row.vm_id, row.name));
    return shown(row);
}

Result<Removed> Agents::remove(const Call& call, const AgentPath& path) {
    const auto now = parts_.clock.now();
    const auto news = outbox::MessageId::make(now, parts_.random);
    // The agent first: from here on no enrollment makes its VM again. Should this break off before
    // the VM is gone, the same call finishes it, for an agent that is removed is found here.
    SYNAPSEX_CHECK(parts_.database.write(call, [&](db::Session& session) -> Result<Done> {
        const auto removed_at = AgentStore{session}.mark_removed(call.tenant, path.agent_id, now);
        if (!removed_at) return no_such_agent();
        if (*removed_at == now)
            outbox::add(session, call, {news, now, "agent.removed", path.agent_id.text()});
        wakeups::tell(session, kAgentRemoved, path.agent_id.text());
        return Done{};
    }));
    forget(path.agent_id);
    SYNAPSEX_CHECK(
        parts_.vms.delete_vm(call, call.tenant, VmId::derived_from(path.agent_id))
    );
    log_info("agent removed", {{"agentId", path.agent_id.text()}});
    return Removed{};
}

Result<std::int64_t> Agents::prune_removed(const Call& call) {
    using Batch = std::vector<RemovedAgent>;
    const auto before = parts_.clock.now() - kRemovedAgentsKeptFor;
    const auto list = [&](db::Session& session) -> Result<Batch> {
        return AgentStore{session}.list_removed(before, kPruneBatch);
    };
    std::int64_t total = 0;
    while (!call.deadline.is_expired(parts_.clock)) {
        SYNAPSEX_TRY(const auto removed, parts_.database.read(kPruneRemoved, call, list));
        for (const auto& agent : removed) {
            const auto vm = VmId::derived_from(agent.agent_id);
            const auto in_tenant = call.of_tenant(agent.tenant_id);
            SYNAPSEX_CHECK(parts_.vms.delete_vm(in_tenant, agent.tenant_id, vm));
        }
        const auto remove = [&](db::Session& session) -> Result<Done> {
            for (const auto& agent : removed) AgentStore{session}.delete_removed(agent);
            return Done{};
        };
        if (!removed.empty())
            SYNAPSEX_CHECK(parts_.database.write(kPruneRemoved, call, remove));
        total += static_cast<std::int64_t>(removed.size());
        if (removed.size() < static_cast<std::size_t>(kPruneBatch)) break;
    }
    return total;
}

Result<AgentIdentity> Agents::get_identity(const Call& call, const AgentId& agent) {
    return parts_.database.read(
        kGetIdentity, call, [&](db::Session& session) -> Result<AgentIdentity> {
            const auto row = AgentStore{session}.find_in_any_tenant(agent);
            if (!row)
                return refused(
                    "auth.unknown_key",
                    "No agent of this server has this key. To enroll it again, give it a new "
                    "enrollment token."
                );
            if (row->removed_at) return agent_revoked();
            // What an operator wants may have come by another replica, whose hint was lost.
            parts_.presence.set_key_wanted(agent, row->key_wanted_at.has_value());
            return identity_of(*row, parts_.clock.now());
        }
    );
}

Result<Done> Agents::adopt_next_key(
    const Call& call, const AgentId& agent, std::string_view public_key
) {
    const auto next = crypto::to_base64url(public_key);
    const auto now = parts_.clock.now();
    const auto news = outbox::MessageId::make(now, parts_.random);
    bool is_new = false;
    SYNAPSEX_CHECK(parts_.database.write(call, [&](db::Session& session) -> Result<Done> {
        AgentStore store{session};
        const auto row = store.find(call.tenant, agent);
        // Two assertions at once: the other one was first.
        is_new = row && row->next_public_key == next;
        if (!is_new) return Done{};
        if (!store.adopt_next_key(*row, now)) return key_taken();
        const auto fact = api::JsonObjectText{}
                              .add_text("id", agent.text())
                              .add_text("keyId", key_id_of(row->next_public_key))
                              .add_text("formerKeyId", key_id_of(row->public_key))
                              .finish();
        outbox::add(session, call, {news, now, "agent.key_replaced", agent.text(), fact});
        wakeups::tell(session, kKeyReplaced, agent.text());
        return Done{};
    }));
    if (!is_new) return Done{};
    doubt(agent);
    log_info("agent has replaced its key", {{"agentId", agent.text()}});
    return Done{};
}

void Agents::forget(const AgentId& agent) {
    parts_.presence.remove(agent);
    doubt(agent);
}

void Agents::doubt(const AgentId& agent) {
    for (const auto& callback : on_doubted_) callback(agent);
}

void Agents::on_doubted(std::function<void(const AgentId&)> callback) {
    on_doubted_.push_back(std::move(callback));
}

}  // namespace synapsex::agent_registry
