#pragma once

#include <memory>

#include "controlplane/platform/module.hpp"
#include "controlplane/platform/tenant_purge.hpp"
#include "controlplane/services/agent_registry/public.hpp"
#include "controlplane/services/agent_registry/trust.hpp"
#include "controlplane/services/tenant/public.hpp"
#include "controlplane/services/vm_registry/public.hpp"

namespace synapsex::agent_registry {

// Who else is asked.
struct Directories {
    vm_registry::VmDirectory& vms;
    tenant::TenantDirectory& tenants;
};

// Whether other processes may work on the database meanwhile.
enum class Peers { none, possible };

class AgentRegistryModule final : public Module {
 public:
    AgentRegistryModule(
        const Platform& platform, db::Database& database, const Directories& directories,
        const Trust& trust, Peers peers
    );
    ~AgentRegistryModule() override;

    AgentDirectory& directory();
    TenantPurge& purge();

    const ServiceManifest& manifest() const override;
    void mount(api::Router& router) override;
    void start() override;
    void stop() override;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace synapsex::agent_registry
