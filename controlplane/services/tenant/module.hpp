#pragma once

// tenant-service as the application hosts it.

#include <memory>
#include <optional>
#include <vector>

#include "controlplane/platform/module.hpp"
#include "controlplane/platform/tenant_purge.hpp"
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

    // What the other services keep of tenants, those first that depend on others. Before start.
    void purge_with(std::vector<TenantPurge*> services);

    const ServiceManifest& manifest() const override;
    void mount(api::Router& router) override;
    // A thread that removes what is left of tenants whose grace is over.
    void start() override;
    void stop() override;

 private:
    const Platform platform_;
    db::Database& database_;
    std::unique_ptr<TenantService> service_;
    std::optional<leases::LeasedTask> purger_;
};

}  // namespace synapsex::tenant
