#pragma once

// A database with what the platform keeps in each: leases, stored answers, the outbox, what
// replicas tell each other, and the tasks that tend them.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "controlplane/platform/disk/disk_watch.hpp"
#include "controlplane/platform/idempotency/stored_answers.hpp"
#include "controlplane/platform/module.hpp"
#include "controlplane/platform/outbox/relay.hpp"

namespace synapsex::app {

// What the platform itself keeps in every database.
struct PlatformPart {
    std::string_view name;  // "platform.leases"
    std::span<const db::Migration> migrations;
    std::span<const db::Table> tables;
};

class HostedDatabase {
 public:
    struct Place {
        std::string name;            // "main", or the folder of the service whose database it is
        std::filesystem::path file{};  // of SQLite; else empty
        std::string listen_url{};      // of a PostgreSQL server; else empty
    };
    HostedDatabase(
        const Platform& platform, const Place& place, std::unique_ptr<db::Database> database
    );
    ~HostedDatabase();

    db::Database& database() { return *database_; }
    api::Answers& answers() { return answers_; }

    // In the order in which their migrations go, before the services' own.
    static std::span<const PlatformPart> parts();
    static std::span<const TaskInfo> tasks();
    void prepare();
    // The room on its disk is known when this returns. The consumers outlive its relay.
    void start(const std::vector<outbox::Consumer*>& consumers);
    // Messages go to the consumers in between.
    void start_relay();
    void stop_relay();
    void stop();

 private:
    struct Tasks;

    Call call(std::string_view task) const;

    const Platform platform_;
    const std::string name_;
    const std::unique_ptr<db::Database> database_;
    const std::string listen_url_;
    idempotency::StoredAnswers answers_;
    std::optional<outbox::Relay> relay_;  // from start on
    SystemDiskSpace disk_;
    std::optional<DiskWatch> disk_watch_;
    std::unique_ptr<Tasks> tasks_;
    const std::string relay_task_;
    std::optional<leases::LeasedTask> relaying_;
};

}  // namespace synapsex::app
