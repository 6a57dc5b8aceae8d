#pragma once

// THE list of services. Each is made by a plain constructor call, in the order of dependency, so a
// missing dependency does not compile and a cycle cannot be written.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/app/config.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/platform/module.hpp"
#include "controlplane/services/agent_registry/module.hpp"
#include "controlplane/services/api_gateway/module.hpp"
#include "controlplane/services/auth/module.hpp"
#include "controlplane/services/tenant/module.hpp"
#include "controlplane/services/vm_registry/module.hpp"

namespace synapsex::app {

// One Database for each that the configuration names; services with the same one share it. For a
// file it does not matter how their URLs spell it.
class Databases {
 public:
    Databases(const Config& config, const Platform& platform)
        : config_(config),
          clock_(platform.clock),
          random_(platform.random),
          metrics_(platform.metrics) {}

    // Opens it when first asked for. Throws db::DatabaseError, StartRefused for a URL that is none.
    db::Database& of(const std::string& service);
    // Every service's migrations, on the database it uses. Throws db::MigrationRefused.
    void migrate(std::span<Module* const> modules);

 private:
    const Config& config_;
    const Clock& clock_;
    Random& random_;
    Metrics& metrics_;
    std::map<std::string, std::unique_ptr<db::Database>> by_place_;
};

// The operator has to do something before the server can start; what() is the sentence.
class StartRefused : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

class Services {
 public:
    Services(const Platform& platform, const Config& config, const Identity& identity);

    // All, in the order of dependency; the gateway is last.
    std::span<Module* const> modules() const { return modules_; }
    auth::AuthModule& auth() { return auth_; }
    // Migrates, prepares every query, mounts.
    void prepare(api::Router& router);
    // start in order; stop in reverse.
    void start();
    void stop();

 private:
    std::vector<Readiness> readiness();

    const TaskBook& tasks_;
    Databases databases_;
    tenant::TenantModule tenants_;
    vm_registry::VmRegistryModule vms_;
    agent_registry::AgentRegistryModule agents_;
    auth::AuthModule auth_;
    api_gateway::ApiGatewayModule gateway_;
    std::vector<Module*> modules_;
};

}  // namespace synapsex::app
