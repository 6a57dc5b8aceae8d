#pragma once

// What a service is to the application that hosts it. services/<name>/module.cpp implements it and
// is the one file that says name, port, prefixes, tables, migrations and dependencies.

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/api/router.hpp"
#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/db/migrate.hpp"
#include "controlplane/platform/db/table.hpp"
#include "controlplane/platform/leases/leased_task.hpp"
#include "controlplane/platform/metrics.hpp"
#include "controlplane/platform/tasks/task_book.hpp"
#include "controlplane/platform/wakeups/wakeups.hpp"
#include "shared/base/random.hpp"
#include "shared/base/time.hpp"

namespace synapsex::outbox {
class Consumer;
}

namespace synapsex {

// The platform as services see it. All outlive every service.
struct Platform {
    Clock& clock;
    Random& random;
    Metrics& metrics;
    api::ParkingLot& parking;
    TaskBook& tasks;
    wakeups::Board& wakeups;

    // What a task needs that one replica at a time runs, in this database.
    leases::LeasedTask::Parts leased(db::Database& database) const {
        return {tasks, database, clock, random};
    }
};

struct ServiceManifest {
    std::string_view name;                        // "tenant-service"
    std::uint16_t port;                           // on loopback, when it runs by itself
    std::span<const std::string_view> prefixes;   // "/v1/tenants"
    std::string_view table_prefix;                // "tenant_": it alone writes these tables
    std::span<const db::Migration> migrations;
    std::span<const db::Query* const> queries;
    std::span<const db::Table> tables{};          // each that the migrations make
    std::span<const TaskInfo> tasks{};            // its background work
};

// One line of /readyz.
struct Readiness {
    std::string name;  // "tenant-service.database"
    bool is_ready;
    std::string detail;
};

class Module {
 public:
    virtual ~Module() = default;
    virtual const ServiceManifest& manifest() const = 0;
    virtual void mount(api::Router& router) = 0;
    // After all are mounted and migrated, before the first request; stop runs in reverse order.
    virtual void start() {}
    virtual void stop() {}
    // What takes messages out of every database's outbox: from after start to before stop.
    virtual std::vector<outbox::Consumer*> consumers() { return {}; }
    // What it needs beside its database, which the application asks for all alike.
    virtual std::vector<Readiness> readiness() { return {}; }
};

}  // namespace synapsex
