#include "controlplane/services/agent_registry/enrollment.hpp"

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/agent_registry/agents.hpp"
#include "shared/base/log.hpp"
#include "shared/crypto/enrollment_token.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::agent_registry {

namespace {

constexpr std::int64_t kPruneBatch = 500;
constexpr std::chrono::seconds kClockSkewMax{60};  // between replicas
constexpr db::SystemScope kClaimToken{"agent_registry.claim_token"};
constexpr db::SystemScope kPruneTokens{"agent_registry.prune_tokens"};

Problem refused(std::string_view code, std::string_view detail) {
    return {Kind::unauthenticated, "enrollment." + std::string{code}, std::string{detail}};
}

Problem token_invalid() {
    return refused("token_invalid", "This is no enrollment token of this server.");
}

Problem agent_removed() {
    return refused("agent_removed", "The agent with this key was removed.");
}

// Whether the token admits one more agent now.
Result<Done> check_usable(const TokenRow& token, Timestamp now) {
    if (token.revoked_at) return refused("token_revoked", "The enrollment token was revoked.");
    // Made while this server's clock was ahead, it would hold for as long.
    const bool is_of_future = token.created_at > now + kClockSkewMax;
    if (token.expires_at <= now || is_of_future)
        return refused("token_expired", "The enrollment token expired; make a new one.");
    if (token.uses >= token.uses_max)
        return refused("token_used", "The enrollment token is used up; make a new one.");
    return Done{};
}

// Counted where the agent is inserted: of two who enroll at once into one place, one gets it.
Result<Done> check_room(
    AgentStore& store, const TenantId& tenant, const tenant::TenantLimits& limits
) {
    using tenant::LimitName;
    if (!limits.value(LimitName::vms)) return Done{};
    const auto vms = store.count(tenant);
    if (limits.have_room(LimitName::vms, vms)) return Done{};
    return limits.reached(
        "tenants.vm_limit_reached", LimitName::vms, vms,
        "Remove an agent that is no longer needed (DELETE /v1/agents/{agentId}), then enroll again."
    );
}

EnrollmentToken to_api(const TokenRow& row) {
    return {row.token_id,   row.name,       row.uses_max,  row.uses,
            row.created_at, row.expires_at, row.revoked_at};
}

std::string news_of(const TokenRow& row) {
    return api::JsonObjectText{}
        .add_text("id", row.token_id.text())
        .add_text("name", row.name)
        .add("uses", std::to_string(row.uses_max))
        .add_text("expiresAt", format_rfc3339(row.expires_at))
        .finish();
}

// With the token that it came by: nobody else vouches for it.
std::string news_of_enrolled(const AgentRow& row) {
    auto data = news_of(row);
    data.pop_back();
    return data + ",\"enrollmentTokenId\":" + api::quoted(row.token_id.text()) + "}";
}

}  // namespace

Result<CreatedEnrollmentToken> Enrollment::create_token(
    const Call& call, const CreateEnrollmentToken& wish
) {
    const auto now = parts_.clock.now();
    const auto token_id = EnrollmentTokenId::make(now, parts_.random);
    const crypto::EnrollmentTokenText token{
        .ulid = std::string{token_id.ulid()},
        .secret = parts_.random.base62(crypto::kEnrollmentSecretSize),
        .authority_pin = parts_.trust.authority_pin(),
    };
    const TokenRow row{
        .tenant_id = call.tenant,
        .token_id = token_id,
        .name = wish.name ? wish.name->value : "",
        .secret_hash = crypto::sha256_hex(token.secret),
        .uses_max = wish.uses.value,
        .uses = 0,
        .created_by = call.principal->user.text(),
        .created_at = now,
        .expires_at = now + std::chrono::seconds{wish.ttl_seconds.value.value},
        .revoked_at = {},
    };
    const auto news = outbox::MessageId::make(now, parts_.random);
    using Created = CreatedEnrollmentToken;
    return parts_.database.write(call, [&](db::Session& session) -> Result<Created> {
        AgentStore store{session};
        store.prune_ended_tokens(call.tenant, now, kEndedTokensKept);
        if (store.count_usable_tokens(call.tenant, now) >= kUsableTokensMax)
            return Problem{
                Kind::conflict, "enrollment_tokens.limit_reached",
                "A tenant has at most " + std::to_string(kUsableTokensMax) +
                    " usable enrollment tokens; revoke some, or make one with more uses."
            };
        store.insert_token(row);
        outbox::add(
            session, call,
            {news, now, "enrollment_token.created", row.token_id.text(), news_of(row)}
        );
        return Created{row.token_id,   row.name,       row.uses_max,
                       row.created_at, row.expires_at, token.text()};
    });
}

Result<EnrollmentTokenPage> Enrollment::list_tokens(
    const Call& call, const ListEnrollmentTokens& wish
) {
    SYNAPSEX_TRY(const std::string after, api::decode_id_cursor<EnrollmentTokenId>(wish.cursor));
    const std::int64_t limit = wish.limit.value;
    return parts_.database.read(call, [&](db::Session& session) -> Result<EnrollmentTokenPage> {
        auto rows = AgentStore{session}.list_tokens(call.tenant, after, limit + 1);
        EnrollmentTokenPage page;
        page.next_cursor =
            api::cut_page(rows, limit, [](const TokenRow& row) { return row.token_id.text(); });
        for (const auto& row : rows) page.items.push_back(to_api(row));
        return page;
    });
}

Result<api::None> Enrollment::revoke_token(const Call& call, const EnrollmentTokenPath& path) {
    const auto now = parts_.clock.now();
    const auto news = outbox::MessageId::make(now, parts_.random);
    return parts_.database.write(call, [&](db::Session& session) -> Result<api::None> {
        const auto revoked_at = AgentStore{session}.revoke_token(call.tenant, path.token_id, now);
        if (!revoked_at)
            return Problem{
                Kind::not_found, "enrollment_tokens.not_found", "There is no such enrollment token."
            };
        if (*revoked_at == now)
            outbox::add(
                session, call, {news, now, "enrollment_token.revoked", path.token_id.text()}
            );
        return api::None{};
    });
}

Result<Enrolled> Enrollment::enroll(const Call& call, const Enroll& wish) {
    const auto token = crypto::parse_enrollment_token(wish.token.value);
    if (!token) return token_invalid();
    const auto token_id =
        EnrollmentTokenId::parse(std::string{EnrollmentTokenTag::kPrefix} + token->ulid);
    if (!token_id) return token_invalid();
    const auto key = crypto::from_base64url(wish.public_key.value);
    if (!key || key->size() != 32)
        return Problem{
            Kind::invalid, "enrollment.key_invalid", "publicKey is no Ed25519 public key.",
            {{"/publicKey", "malformed", "Pass the raw 32 bytes in base64url without padding."}}
        };
    SYNAPSEX_TRY(const auto tenant, tenant_of(call, *token_id));
    const auto now = parts_.clock.now();
    const auto fresh_id = AgentId::make(now, parts_.random);
    const auto news = outbox::MessageId::make(now, parts_.random);
    bool is_new = false;
    const auto claim = [&](db::Session& session) -> Result<AgentRow> {
        is_new = false;
        AgentStore store{session};
        const auto row = store.find_token_in_any_tenant(*token_id);
        if (!row || !crypto::equal_in_constant_time(
                        row->secret_hash, crypto::sha256_hex(token->secret)
                    ))
            return token_invalid();
        if (wish.tenant_id && *wish.tenant_id != row->tenant_id)
            return refused("token_of_other_tenant", "The enrollment token is of another tenant.");
        if (const auto known = store.find_enrolled(*token_id, wish.public_key.value)) {
            if (known->removed_at)
                return agent_removed();
            return *known;
        }
        SYNAPSEX_CHECK(check_usable(*row, now));
        SYNAPSEX_CHECK(check_active(tenant.standing));
        SYNAPSEX_CHECK(check_room(store, row->tenant_id, tenant.limits));
        if (!store.claim_token_use(row->tenant_id, row->token_id))
            return refused("token_used", "The enrollment token is used up; make a new one.");
        AgentRow agent;
        agent.tenant_id = row->tenant_id;
        agent.agent_id = fresh_id;
        agent.vm_id = VmId::derived_from(fresh_id);
        agent.token_id = row->token_id;
        agent.name = wish.name.value;
        agent.platform = wish.platform.value;
        agent.public_key = wish.public_key.value;
        agent.version = wish.agent_version.value;
        agent.boot_id = wish.boot_id.value;
        agent.created_at = now;
        agent.updated_at = now;
        store.insert(agent);
        outbox::add(
            session, call.of_tenant(agent.tenant_id),
            {news, now, "agent.enrolled", agent.agent_id.text(), news_of_enrolled(agent)}
        );
        is_new = true;
        return agent;
    };
    SYNAPSEX_TRY(const AgentRow agent, parts_.database.write(kClaimToken, call, claim));

    // Repeatable from here: what breaks off in between is mended when the agent asks again.
    const vm_registry::NewVm vm{agent.tenant_id, agent.vm_id, agent.agent_id, agent.name};
    const auto in_tenant = call.of_tenant(agent.tenant_id);
    SYNAPSEX_CHECK(parts_.vms.create_vm(in_tenant, vm));
    parts_.presence.add(agent);
    SYNAPSEX_CHECK(check_not_removed(in_tenant, agent));
    if (is_new)
        log_info(
            "agent enrolled", {{"agentId", agent.agent_id.text()},
                               {"vmId", agent.vm_id.text()},
                               {"tenantId", agent.tenant_id.text()},
                               {"tokenId", agent.token_id.text()}}
        );
    return Enrolled{
        agent.agent_id, agent.vm_id, agent.tenant_id, parts_.trust.issuer, incarnation_};
}

// Asked before the transaction that enrolls, in which nobody else is asked. Of whoever says the
// token's id: its secret is checked there.
Result<Enrollment::Tenant> Enrollment::tenant_of(
    const Call& call, const EnrollmentTokenId& token
) {
    SYNAPSEX_TRY(
        const auto tenant,
        parts_.database.read(kClaimToken, call, [&](db::Session& session) -> Result<TenantId> {
            const auto row = AgentStore{session}.find_token_in_any_tenant(token);
            if (!row) return token_invalid();
            return row->tenant_id;
        })
    );
    const auto standing = parts_.tenants.get_standing(call, tenant);
    if (!standing && standing.error().kind == Kind::not_found) return token_invalid();
    if (!standing) return standing.error();
    SYNAPSEX_TRY(const auto limits, parts_.tenants.get_limits(call, tenant));
    return Tenant{*standing, limits};
}

// A removal between the two steps of an enrollment found no VM to delete: this one does.
Result<Done> Enrollment::check_not_removed(const Call& call, const AgentRow& agent) {
    SYNAPSEX_TRY(
        const bool is_removed,
        parts_.database.read(call, [&](db::Session& session) -> Result<bool> {
            return !AgentStore{session}.find(agent.tenant_id, agent.agent_id);
        })
    );
    if (!is_removed) return Done{};
    parts_.presence.remove(agent.agent_id);
    SYNAPSEX_CHECK(parts_.vms.delete_vm(call, agent.tenant_id, agent.vm_id));
    return agent_removed();
}

Result<ProvenTime> Enrollment::prove_time(const ProveTime& wish) const {
    if (!crypto::is_time_nonce(wish.nonce.value))
        return Problem{
            Kind::invalid, "agents.nonce_invalid", "nonce is not 32 bytes in base64url.",
            {{"/nonce", "malformed", "Pass 32 random bytes in base64url without padding."}}
        };
    const auto proof = parts_.trust.prove_time(wish.nonce.value);
    if (!proof)
        return Problem{
            Kind::not_found, "agents.no_authority",
            "This control plane has no certificate of its own authority (--listen-tls without "
            "--tls-certificate), so it proves no time."
        };
    return ProvenTime{
        proof->time, crypto::to_base64url(proof->public_key),
        crypto::to_base64url(proof->signature)};
}

std::int64_t Enrollment::prune_tokens(const Call& call) {
    const auto before = parts_.clock.now() - kExpiredTokensKeptFor;
    const auto prune_batch = [&](db::Session& session) -> Result<std::int64_t> {
        return AgentStore{session}.prune_expired_tokens(before, kPruneBatch);
    };
    std::int64_t total = 0;
    while (!call.deadline.is_expired(parts_.clock)) {
        const auto pruned = parts_.database.write(kPruneTokens, call, prune_batch);
        if (!pruned) break;
        total += *pruned;
        if (*pruned < kPruneBatch) break;
    }
    return total;
}

}  // namespace synapsex::agent_registry
