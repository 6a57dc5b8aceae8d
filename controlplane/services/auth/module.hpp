#pragma once

// auth-service as the application hosts it.

#include <memory>
#include <string>

#include "controlplane/platform/auth/authenticator.hpp"
#include "controlplane/platform/module.hpp"
#include "controlplane/platform/tenant_purge.hpp"
#include "controlplane/services/agent_registry/public.hpp"
#include "controlplane/services/auth/recovery.hpp"
#include "controlplane/services/auth/service.hpp"
#include "controlplane/services/tenant/public.hpp"
#include "shared/crypto/password.hpp"
#include "shared/crypto/signer.hpp"

namespace synapsex::auth {

struct AuthSettings {
    std::string issuer;  // `iss` of access tokens, `aud` of agents' assertions; never changes
    bool is_registration_open = false;
    crypto::SigningKeys signing_keys;  // of access tokens
    crypto::PasswordCost password_cost{};
    PasswordLimits password_limits{};
    std::size_t cached_principals_max = 20'000;  // about 600 bytes each
};

class AuthModule final : public Module {
 public:
    AuthModule(
        const Platform& platform,
        db::Database& database,
        tenant::TenantDirectory& tenants,
        agent_registry::AgentDirectory& agents,
        AuthSettings settings
    );
    ~AuthModule() override;

    Authenticator& authenticator();
    // The agent's access tokens end now, in this process; elsewhere within a minute. For the
    // registry to call after it has removed the agent. Any thread.
    void forget_agent(const AgentId& agent);
    // The user's place in the tenant has changed or ended: it counts now, in this process. Any
    // thread.
    void forget_member(const TenantId& tenant, const UserId& user);
    // The same of all in the tenant: it stands otherwise, or may use another amount. Any thread.
    void forget_tenant(const TenantId& tenant);

    TenantPurge& purge();

    // For the local command `init`; registration may be closed. Kind::conflict
    // auth.already_initialized if anybody has registered.
    Result<FirstOwner> create_first_owner(const Call& call, const FirstOwnerWish& wish);
    Result<bool> has_users(const Call& call);

    // For the local command `recover-owner`, and nobody else.
    Recovery recovery(tenant::TenantRecovery& tenants);

    const ServiceManifest& manifest() const override;
    void mount(api::Router& router) override;
    // A thread that writes what was noted about keys and sweeps what was left unfinished.
    void start() override;
    void stop() override;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace synapsex::auth
