#pragma once

// tenant-service as the application hosts it.

#include <memory>

#include "controlplane/platform/module.hpp"
#include "controlplane/services/tenant/administration.hpp"
#include "controlplane/services/tenant/public.hpp"

namespace synapsex::tenant {

class TenantService;

class TenantModule final : public Module {
 public:
    // New tenants get the newest version of the plan.
    TenantModule(const Platform& platform, db::Database& database, PlanName default_plan);
    ~TenantModule() override;

    TenantDirectory& directory();
    // For the local command `recover-owner`, and nobody else.
    TenantRecovery& recovery();
    // For the local command `tenants`, and nobody else.
    TenantAdministration& administration();

    const ServiceManifest& manifest() const override;
    void mount(api::Router& router) override;

 private:
    std::unique_ptr<TenantService> service_;
};

}  // namespace synapsex::tenant
