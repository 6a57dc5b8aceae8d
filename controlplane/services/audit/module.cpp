#include "controlplane/services/audit/module.hpp"

#include <array>
#include <optional>

#include "controlplane/services/audit/migrations.hpp"
#include "controlplane/services/audit/recorder.hpp"
#include "controlplane/services/audit/routes.hpp"
#include "controlplane/services/audit/service.hpp"
#include "controlplane/services/audit/store.hpp"
#include "shared/base/log.hpp"

namespace synapsex::audit {

namespace {

constexpr std::array<std::string_view, 1> kPrefixes{"/v1/audit"};
constexpr std::array kTables{
    db::Table{
        .name = "audit_entries",
        .growth = db::Growth::lasting,
        .kept = "for good: one for each change, refusal and export",
    },
    db::Table{
        .name = "audit_heads",
        .growth = db::Growth::bounded,
        .kept = "one for each tenant",
    },
};
constexpr TaskInfo kWriteDenials{"audit.write_denials", std::chrono::seconds{1}};
constexpr std::array kTasks{kWriteDenials};
constexpr std::chrono::seconds kBudget{10};

}  // namespace

struct AuditModule::Impl {
    Impl(const Platform& platform, db::Database& database)
        : clock(platform.clock),
          tasks(platform.tasks),
          recorder(database),
          log(database, platform.clock, platform.random),
          denials(database, platform.clock, platform.random, platform.metrics) {}

    Call call() const {
        return Call::system(std::string{kWriteDenials.name}, Deadline::after(clock, kBudget));
    }

    const Clock& clock;
    TaskBook& tasks;
    Recorder recorder;
    AuditLog log;
    Denials denials;
    std::optional<PeriodicTask> writing{};
};

AuditModule::AuditModule(const Platform& platform, db::Database& database)
    : impl_(std::make_unique<Impl>(platform, database)) {}
AuditModule::~AuditModule() = default;

const ServiceManifest& AuditModule::manifest() const {
    static const ServiceManifest manifest{
        .name = "audit-service",
        .port = 8004,
        .prefixes = kPrefixes,
        .table_prefix = "audit_",
        .migrations = kMigrations,
        .queries = AuditStore::queries(),
        .tables = kTables,
        .tasks = kTasks,
    };
    return manifest;
}

void AuditModule::mount(api::Router& router) { mount_routes(router, impl_->log); }

void AuditModule::start() {
    impl_->writing.emplace(kWriteDenials, impl_->tasks, [impl = impl_.get()]() -> Result<TaskRun> {
        SYNAPSEX_CHECK(impl->denials.flush(impl->call(), Denials::Due::by_time));
        return TaskRun::done;
    });
}

void AuditModule::stop() {
    if (!impl_->writing) return;
    impl_->writing.reset();
    try {
        const auto written = impl_->denials.flush(impl_->call(), Denials::Due::all);
        if (!written) log_warning("denials were not written", {{"error", written.error().detail}});
    } catch (const std::exception& error) {
        // A database that is gone is no reason not to stop.
        log_warning("denials were not written", {{"error", error.what()}});
    }
}

std::vector<outbox::Consumer*> AuditModule::consumers() { return {&impl_->recorder}; }

Denials& AuditModule::denials() { return impl_->denials; }

}  // namespace synapsex::audit
