#pragma once

// What the tests of auth-service share: its neighbours in memory, and itself put together.

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include <gmock/gmock.h>

#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/services/agent_registry/public.hpp"
#include "controlplane/services/auth/migrations.hpp"
#include "controlplane/services/auth/service.hpp"
#include "controlplane/services/auth/store.hpp"
#include "shared/crypto/ed25519.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::auth {

class FakeTenants final : public tenant::TenantDirectory {
 public:
    Result<Done> create_tenant(
        const Call&, const TenantId& tenant, std::string_view slug, std::string_view name,
        const UserId& owner
    ) override {
        if (fails_next) {
            fails_next = false;
            return Problem{Kind::unavailable, "database.busy", "Busy."};
        }
        for (const auto& place : places)
            if (place.membership.tenant_id == tenant) return Done{};
        std::string made{slug};
        if (made.empty()) made = "slug-" + std::to_string(places.size());
        join(owner, {tenant, made, std::string{name}, Role::owner});
        return Done{};
    }
    Result<Done> abandon_tenant(
        const Call&, const TenantId& tenant, const UserId& owner
    ) override {
        leave(owner, tenant);
        return Done{};
    }
    Result<Done> abandon_memberships(const Call&, const UserId& user) override {
        std::erase_if(places, [&](const Place& place) { return place.user == user; });
        return Done{};
    }
    Result<std::vector<tenant::Membership>> list_memberships(
        const Call&, const UserId& user
    ) override {
        if (while_listing) std::exchange(while_listing, nullptr)();
        std::vector<tenant::Membership> memberships;
        for (const auto& place : places)
            if (place.user == user) memberships.push_back(place.membership);
        return memberships;
    }
    Result<tenant::Membership> get_membership(
        const Call&, const UserId& user, std::string_view tenant
    ) override {
        ++asked;
        for (const auto& place : places) {
            const auto& membership = place.membership;
            const bool is_it = membership.tenant_id.text() == tenant || membership.slug == tenant;
            if (place.user == user && is_it) return membership;
        }
        return Problem{Kind::not_found, "tenants.not_found", "No."};
    }

    Result<Standing> get_standing(const Call&, const TenantId&) override {
        if (is_purged) return Problem{Kind::not_found, "tenants.not_found", "No."};
        return standing;
    }
    Result<tenant::TenantLimits> get_limits(const Call&, const TenantId&) override {
        return limits;
    }
    void on_standing_changed(std::function<void(const TenantId&)>) override {}
    void on_member_changed(std::function<void(const TenantId&, const UserId&)>) override {}

    void join(const UserId& user, tenant::Membership membership) {
        places.push_back({user, std::move(membership)});
    }
    void leave(const UserId& user, const TenantId& tenant) {
        std::erase_if(places, [&](const Place& place) {
            return place.user == user && place.membership.tenant_id == tenant;
        });
    }

    struct Place {
        UserId user;
        tenant::Membership membership;
    };
    std::vector<Place> places;
    std::function<void()> while_listing;
    Standing standing{};             // of every tenant, as agents' calls see it
    tenant::TenantLimits limits{};   // unlimited
    bool is_purged = false;
    bool fails_next = false;
    int asked = 0;
};

class FakeAgents final : public agent_registry::AgentDirectory {
 public:
    Result<agent_registry::AgentIdentity> get_identity(
        const Call&, const AgentId& agent
    ) override {
        ++asked;
        while_asked();
        const auto found = identities.find(agent);
        if (found == identities.end())
            return Problem{Kind::unauthenticated, "auth.unknown_key", "No such agent."};
        if (!found->second)
            return Problem{Kind::unauthenticated, "auth.agent_revoked", "It was removed."};
        return *found->second;
    }

    Result<Done> adopt_next_key(
        const Call&, const AgentId& agent, std::string_view
    ) override {
        auto& identity = identities.at(agent).value();
        identity.former_public_key = std::exchange(identity.public_key, identity.next_public_key);
        identity.next_public_key.clear();
        identity.key_since = adopted_at;
        return Done{};
    }

    void on_doubted(std::function<void(const AgentId&)>) override {}

    // nullopt: revoked.
    std::map<AgentId, std::optional<agent_registry::AgentIdentity>> identities;
    Timestamp adopted_at{};
    int asked = 0;
    std::function<void()> while_asked = [] {};
};

template <class T>
std::string code_of(const Result<T>& result) {
    return result ? "" : result.error().code;
}

inline constexpr crypto::PasswordCost kCheap{.memory_kib = 64, .passes = 1, .lanes = 1};
inline const std::string kPassword = "correct horse battery staple";
inline const std::string kIssuer = "https://control.example";

class AuthFixture : public ::testing::Test {
 protected:
    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{
        clock, {{"outbox", outbox::kMigrations}, {"auth-service", kMigrations}}};
    FakeTenants tenants;
    FakeAgents agents;
    PasswordGate passwords{clock, random, kCheap, {}};
    Registration registration{*database, tenants, passwords, clock, random};
    crypto::SigningKeys signing_keys = crypto::SigningKeys::of(
        std::make_shared<crypto::Ed25519Key>(crypto::Ed25519Key::generate(random))
    );
    AccessTokens tokens{kIssuer, signing_keys, clock, random};
    PrincipalCache cache{clock, 1000};
    AuthService service = make_service(RegistrationMode::open);

    AuthService make_service(RegistrationMode mode) {
        return AuthService{
            {*database, tenants, registration, passwords, tokens, cache, clock, random,
             database.metrics()},
            mode
        };
    }
    static Call nobody() {
        return {
            .request_id = "req_1", .tenant = {}, .principal = std::make_shared<Principal>()
        };
    }
    TokenPair registered(const std::string& email) {
        clock.advance(std::chrono::seconds{1});
        return service.register_user(nobody(), {{email}, {kPassword}, {}}).value();
    }
    // A call of the user in the tenant that the tokens name.
    static Call call_of(const TokenPair& pair, PrincipalKind kind = PrincipalKind::user) {
        auto principal = std::make_shared<Principal>();
        principal->kind = kind;
        principal->user = pair.user.id;
        principal->tenant = pair.user.tenant_id;
        principal->role = Role::owner;
        principal->scopes = scopes_of(Role::owner);
        principal->email = pair.user.email;
        return {
            .request_id = "req_1", .tenant = pair.user.tenant_id, .principal = std::move(principal)
        };
    }
    Result<TokenPair> refreshed(const std::string& token) {
        return service.sessions().refresh(nobody(), {RefreshToken{token}, {}});
    }
    // Tokens were used that much earlier. When they were is by the database's clock, which is not
    // `clock` on PostgreSQL.
    void age_refreshes(std::chrono::microseconds age) {
        static constexpr db::Query kAge{"test.age_refreshes", R"sql(
            UPDATE auth_sessions SET previous_used_at = previous_used_at - $1,
                older_used_at = older_used_at - $1)sql"};
        database.in_write([&](db::Session& session) { session.execute(kAge, age.count()); });
    }
    template <class Fn>
    auto in_store(Fn fn) {
        return database.in_write([&](db::Session& session) {
            AuthStore store{session};
            return fn(store);
        });
    }
};

}  // namespace synapsex::auth
