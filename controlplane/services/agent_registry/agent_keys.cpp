#include "controlplane/services/agent_registry/agent_keys.hpp"

#include <utility>

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "shared/base/log.hpp"
#include "shared/crypto/agent_statements.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::agent_registry {

namespace {

Problem no_such_agent() {
    return {Kind::not_found, "agents.not_found", "There is no such agent."};
}

Problem key_not_current() {
    return {
        Kind::conflict, "agents.key_not_current",
        "formerKeyId is not the agent's key, or publicKey is it already. Sign again with the key "
        "that buys access tokens."
    };
}

Problem key_unproved(std::string_view pointer, std::string_view whose) {
    return {
        Kind::unprocessable, "agents.key_unproved", "A signature does not hold.",
        {{std::string{pointer}, "invalid",
          "Sign the statement of the change with the " + std::string{whose} + " key."}}
    };
}

Result<std::string> bytes_of(
    const std::string& text, std::size_t size, std::string_view pointer
) {
    auto bytes = crypto::from_base64url(text);
    if (bytes && bytes->size() == size) return *std::move(bytes);
    return Problem{
        Kind::invalid, "agents.key_invalid", "The body has no Ed25519 key with its signatures.",
        {{std::string{pointer}, "malformed",
          "Pass the raw " + std::to_string(size) + " bytes in base64url without padding."}}
    };
}

bool states_capability(const AgentRow& row, std::int64_t number) {
    const auto list = "," + row.capabilities + ",";
    return list.find("," + std::to_string(number) + ",") != std::string::npos;
}

std::string raw(const std::string& public_key) {
    return public_key.empty() ? "" : crypto::from_base64url(public_key).value();
}

}  // namespace

std::string key_id_of(std::string_view public_key) {
    return crypto::ed25519_key_id(crypto::from_base64url(public_key).value());
}

AgentIdentity identity_of(const AgentRow& row, Timestamp now) {
    AgentIdentity identity{
        .agent_id = row.agent_id,
        .tenant_id = row.tenant_id,
        .vm_id = row.vm_id,
        .public_key = raw(row.public_key),
        .next_public_key = raw(row.next_public_key),
        .former_public_key = raw(row.former_public_key),
        .key_since = row.key_since,
    };
    const bool is_over = row.next_key_at && *row.next_key_at + kBothKeysCountFor <= now;
    if (is_over) identity.former_public_key = std::exchange(identity.public_key, "");
    return identity;
}

Problem key_taken() {
    return {
        Kind::conflict, "agents.key_taken",
        "Another agent has this key. Make one for this agent alone."
    };
}

Result<KeyWanted> AgentKeys::want(const Call& call, const AgentPath& path) {
    const auto now = parts_.clock.now();
    const auto news = outbox::MessageId::make(now, parts_.random);
    SYNAPSEX_TRY(
        const auto wanted,
        parts_.database.write(call, [&](db::Session& session) -> Result<KeyWanted> {
            AgentStore store{session};
            const auto row = store.find(call.tenant, path.agent_id);
            if (!row) return no_such_agent();
            if (!states_capability(*row, kReplacesItsKey))
                return Problem{
                    Kind::conflict, "agents.capability_missing",
                    "The agent (version " + row->version + ") has not said that it can replace its "
                    "key: update it, or wait for its first heartbeat. To end its key now, remove "
                    "the agent and enroll its VM again."
                };
            const auto since = store.want_key(call.tenant, path.agent_id, now).value();
            if (since == now)
                outbox::add(session, call, {news, now, "agent.key_wanted", path.agent_id.text()});
            wakeups::tell(session, kKeyWanted, path.agent_id.text());
            return KeyWanted{path.agent_id, key_id_of(row->public_key), since};
        })
    );
    note_wanted(path.agent_id);
    return wanted;
}

void AgentKeys::note_wanted(const AgentId& agent) {
    parts_.presence.set_key_wanted(agent, true);
    if (on_wanted_) on_wanted_(agent);
}

Result<KeyTaken> AgentKeys::put(const Call& call, const PutKey& wish) {
    if (call.principal->agent != wish.agent_id) return no_such_agent();
    SYNAPSEX_TRY(const auto key, bytes_of(wish.public_key.value, 32, "/publicKey"));
    SYNAPSEX_TRY(const auto signature, bytes_of(wish.signature.value, 64, "/signature"));
    SYNAPSEX_TRY(const auto proof, bytes_of(wish.proof.value, 64, "/proof"));
    SYNAPSEX_TRY(
        auto row,
        parts_.database.read(call, [&](db::Session& session) -> Result<AgentRow> {
            auto found = AgentStore{session}.find(call.tenant, wish.agent_id);
            if (!found) return no_such_agent();
            return *std::move(found);
        })
    );
    const auto current = identity_of(row, parts_.clock.now()).public_key;
    const auto& former_id = wish.former_key_id.value;
    if (current.empty() || crypto::ed25519_key_id(current) != former_id || current == key)
        return key_not_current();
    const auto statement = crypto::statement_of(crypto::KeyChange{
        .agent_id = wish.agent_id.text(),
        .issuer = parts_.issuer,
        .former_key_id = former_id,
        .public_key = wish.public_key.value,
    });
    if (!crypto::verify_ed25519(current, statement, signature))
        return key_unproved("/signature", "agent's");
    if (!crypto::verify_ed25519(key, statement, proof)) return key_unproved("/proof", "new");
    if (row.next_public_key != wish.public_key.value) {
        const auto now = parts_.clock.now();
        SYNAPSEX_CHECK(store_next_key(call, row, wish, now));
        row.next_key_at = now;
    }
    return KeyTaken{
        crypto::ed25519_key_id(key), former_id,
        row.next_key_at.value_or(parts_.clock.now()) + kBothKeysCountFor
    };
}

Result<Done> AgentKeys::store_next_key(
    const Call& call, const AgentRow& row, const PutKey& wish, Timestamp now
) {
    const auto news = outbox::MessageId::make(now, parts_.random);
    const auto fact = api::JsonObjectText{}
                          .add_text("id", row.agent_id.text())
                          .add_text("keyId", key_id_of(row.public_key))
                          .add_text("nextKeyId", key_id_of(wish.public_key.value))
                          .finish();
    SYNAPSEX_CHECK(parts_.database.write(call, [&](db::Session& session) -> Result<Done> {
        AgentStore store{session};
        const auto stored = store.find(row.tenant_id, row.agent_id);
        if (!stored || stored->public_key != row.public_key) return key_not_current();
        // The agent asked twice, and the other one was first.
        if (stored->next_public_key == wish.public_key.value) return Done{};
        if (store.find_enrolled(row.token_id, wish.public_key.value)) return key_taken();
        if (!store.put_next_key(row, wish.public_key.value, now)) return key_not_current();
        outbox::add(
            session, call, {news, now, "agent.key_registered", row.agent_id.text(), fact}
        );
        return Done{};
    }));
    parts_.presence.set_key_wanted(row.agent_id, false);
    log_info("agent registers its next key", {{"agentId", row.agent_id.text()}});
    return Done{};
}

}  // namespace synapsex::agent_registry
