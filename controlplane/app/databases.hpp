#pragma once

// The databases that the configuration names, and which service has which.

#include <map>
#include <memory>
#include <span>
#include <string>

#include "controlplane/app/config.hpp"
#include "controlplane/app/hosted_database.hpp"
#include "controlplane/app/start_refused.hpp"
#include "controlplane/platform/module.hpp"

namespace synapsex::app {

// Services with the same one share it. For a file it does not matter how their URLs spell it.
class Databases {
 public:
    Databases(const Config& config, const Platform& platform)
        : config_(config), platform_(platform) {}

    // Opens it when first asked for. Throws db::DatabaseError, StartRefused for a URL that is none.
    HostedDatabase& hosted(const std::string& service);
    db::Database& of(const std::string& service) { return hosted(service).database(); }

    // Every service's migrations, on the database it uses, then every statement. Throws
    // db::MigrationRefused, db::DatabaseError.
    void prepare(std::span<Module* const> modules);
    // The consumers may have a database here, or another one than the messages are in.
    void start(const std::vector<outbox::Consumer*>& consumers);
    void start_relays();
    void stop_relays();
    void stop();

 private:
    const Config& config_;
    const Platform platform_;
    std::map<std::string, std::unique_ptr<HostedDatabase>> by_place_;
};

// "agent-registry-service" -> "agent_registry": the folder, and the name in settings.
std::string folder_of(std::string_view service);

}  // namespace synapsex::app
