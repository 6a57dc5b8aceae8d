#pragma once

// THE list of services. Each is made by a plain constructor call, in the order of dependency, so a
// missing dependency does not compile and a cycle cannot be written.

#include <memory>
#include <string>
#include <vector>

#include "controlplane/app/databases.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/platform/module.hpp"
#include "controlplane/services/agent_registry/module.hpp"
#include "controlplane/services/api_gateway/module.hpp"
#include "controlplane/services/audit/module.hpp"
#include "controlplane/services/auth/module.hpp"
#include "controlplane/services/tenant/module.hpp"
#include "controlplane/services/vm_registry/module.hpp"

namespace synapsex::app {

// Who alone writes some tables, and what of them is declared.
struct TableOwner {
    std::string_view name;    // "tenant-service", "platform.outbox"
    std::string_view prefix;  // of its tables' names
    std::span<const db::Table> tables;
    std::span<const TaskInfo> tasks;
};

class Services {
 public:
    Services(const Platform& platform, const Config& config, const Identity& identity);
    // What other replicas tell is heard no more before those who listen are gone.
    ~Services() { databases_.stop(); }

    // All, in the order of dependency; the gateway is last.
    std::span<Module* const> modules() const { return modules_; }
    auth::AuthModule& auth() { return auth_; }
    tenant::TenantModule& tenants() { return tenants_; }
    api_gateway::ApiGatewayModule& gateway() { return gateway_; }
    audit::AuditModule& audit() { return audit_; }
    // Where what is of no service and no tenant is kept: in tenant-service's database.
    db::Database& installation() { return databases_.of("tenant"); }
    // The platform's parts and the services with tables.
    std::vector<TableOwner> table_owners() const;
    // Migrates, prepares every query, mounts.
    void prepare(api::Router& router);
    // One service's operations, into another router than that of all. After prepare().
    void mount(Module& module, api::Router& router);
    // start in order, then messages go to their consumers; stop in reverse.
    void start();
    void stop();
    // Of one service.
    std::vector<Readiness> readiness_of(Module& module);

 private:
    std::vector<Readiness> readiness();

    const TaskBook& tasks_;
    Databases databases_;
    tenant::TenantModule tenants_;
    vm_registry::VmRegistryModule vms_;
    agent_registry::AgentRegistryModule agents_;
    auth::AuthModule auth_;
    audit::AuditModule audit_;
    api_gateway::ApiGatewayModule gateway_;
    std::vector<Module*> modules_;
};

}  // namespace synapsex::app
