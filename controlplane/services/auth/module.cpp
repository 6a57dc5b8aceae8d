#include "controlplane/services/auth/module.hpp"

#include <array>
#include <vector>

#include "controlplane/services/auth/agent_tokens.hpp"
#include "controlplane/services/auth/credentials.hpp"
#include "controlplane/services/auth/migrations.hpp"
#include "controlplane/services/auth/purge.hpp"
#include "controlplane/services/auth/routes.hpp"
#include "controlplane/services/auth/store.hpp"
#include "controlplane/services/auth/upkeep.hpp"

namespace synapsex::auth {

namespace {

constexpr std::array<std::string_view, 1> kPrefixes{"/v1/auth"};
constexpr std::array kTables{
    db::Table{
        .name = "auth_users",
        .growth = db::Growth::bounded,
        .kept_for = Registration::kAbandonedAfter,
        .kept = "one for each user; {time} an unfinished registration",
        .pruner = "auth.registrations",
    },
    db::Table{
        .name = "auth_sessions",
        .growth = db::Growth::growing,
        .kept_for = kSessionLifetime,
        .rows_max = kSessionsMax,
        .kept = "{time} after the last refresh, {rows} of a user",
        .pruner = "auth.sessions",
    },
    db::Table{
        .name = "auth_sign_in_locks",
        .growth = db::Growth::growing,
        .kept_for = SignInLimits::kForgottenAfter,
        .kept = "{time} after the sign-in that failed last",
        .pruner = "auth.sessions",
    },
    db::Table{
        .name = "auth_api_keys",
        .growth = db::Growth::bounded,
        .kept_for = kRevokedKeysKeptFor,
        .rows_max = kApiKeysMax,
        .kept = "{rows} of a user in a tenant, as many revoked ones for {time}",
    },
    db::Table{
        .name = "auth_used_assertions",
        .growth = db::Growth::growing,
        .kept_for = AgentTokens::kSkewMax,
        .kept = "{time} after expiry",
        .pruner = "auth.used_assertions",
    },
};

std::span<const db::Query* const> queries() {
    static const auto all = [] {
        std::vector<const db::Query*> of_both;
        for (const auto& some : {AuthStore::queries(), SessionStore::queries()})
            of_both.insert(of_both.end(), some.begin(), some.end());
        return of_both;
    }();
    return all;
}

}  // namespace

struct AuthModule::Impl {
    Impl(
        const Platform& platform,
        db::Database& db,
        const Directories& directories,
        AuthSettings settings
    )
        : database(db),
          clock(platform.clock),
          random(platform.random),
          tenants(directories.tenants),
          tokens(settings.issuer, settings.signing_keys, platform.clock, platform.random),
          cache(platform.clock, settings.cached_principals_max),
          passwords(
              platform.clock, platform.random, settings.password_cost, settings.password_limits
          ),
          registration(db, directories.tenants, passwords, platform.clock, platform.random),
          service(
              {db, directories.tenants, registration, passwords, tokens, cache, platform.clock,
               platform.random, platform.metrics},
              settings.is_registration_open ? RegistrationMode::open : RegistrationMode::closed
          ),
          agent_tokens(db, directories.agents, tokens, settings.issuer, platform.clock),
          credentials(db, directories, tokens, cache, platform.clock),
          upkeep(
              credentials.key_usage(), agent_tokens, registration, service, platform.leased(db)
          ) {
        platform.wakeups.on(kKeyRevoked, [this](std::string_view key) {
            cache.forget_credential(key);
        });
    }

    db::Database& database;
    const Clock& clock;
    Random& random;
    tenant::TenantDirectory& tenants;
    AccessTokens tokens;
    PrincipalCache cache;
    PasswordGate passwords;
    Registration registration;
    AuthService service;
    AgentTokens agent_tokens;
    Credentials credentials;
    Upkeep upkeep;
    AuthPurge purge{database};
};

AuthModule::AuthModule(
    const Platform& platform,
    db::Database& database,
    tenant::TenantDirectory& tenants,
    agent_registry::AgentDirectory& agents,
    AuthSettings settings
)
    : impl_(std::make_unique<Impl>(
          platform, database, Directories{tenants, agents}, std::move(settings)
      )) {}

AuthModule::~AuthModule() = default;

Authenticator& AuthModule::authenticator() { return impl_->credentials; }

TenantPurge& AuthModule::purge() { return impl_->purge; }

void AuthModule::forget_agent(const AgentId& agent) { impl_->cache.forget_agent(agent); }

void AuthModule::forget_member(const TenantId& tenant, const UserId& user) {
    impl_->cache.forget_member(tenant, user);
}

void AuthModule::forget_tenant(const TenantId& tenant) { impl_->cache.forget_tenant(tenant); }

Result<FirstOwner> AuthModule::create_first_owner(const Call& call, const FirstOwnerWish& wish) {
    return impl_->service.create_first_owner(call, wish);
}

Result<bool> AuthModule::has_users(const Call& call) { return impl_->service.has_users(call); }

Recovery AuthModule::recovery(tenant::TenantRecovery& tenants) {
    return Recovery{
        {impl_->database, impl_->tenants, tenants, impl_->passwords, impl_->clock, impl_->random}
    };
}

const ServiceManifest& AuthModule::manifest() const {
    static const ServiceManifest manifest{
        .name = "auth-service",
        .port = 8001,
        .prefixes = kPrefixes,
        .table_prefix = "auth_",
        .migrations = kMigrations,
        .queries = queries(),
        .tables = kTables,
        .tasks = kTasks,
    };
    return manifest;
}

void AuthModule::mount(api::Router& router) {
    mount_routes(router, impl_->service, impl_->agent_tokens, impl_->tokens);
}

void AuthModule::start() { impl_->upkeep.start(); }

void AuthModule::stop() { impl_->upkeep.stop(); }

}  // namespace synapsex::auth
