#include "controlplane/app/hosted_database.hpp"

#include <array>

#include "controlplane/platform/certificates/certificate_notices.hpp"
#include "controlplane/platform/certificates/migrations.hpp"
#include "controlplane/platform/certificates/tables.hpp"
#include "controlplane/platform/idempotency/answer_store.hpp"
#include "controlplane/platform/idempotency/migrations.hpp"
#include "controlplane/platform/idempotency/tables.hpp"
#include "controlplane/platform/leases/migrations.hpp"
#include "controlplane/platform/leases/tables.hpp"
#include "controlplane/platform/leases/work_items.hpp"
#include "controlplane/platform/outbox/earlier_outbox.hpp"
#include "controlplane/platform/outbox/inbox.hpp"
#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/platform/outbox/tables.hpp"
#include "controlplane/platform/wakeups/hearing.hpp"

namespace synapsex::app {

namespace {

constexpr TaskInfo kRelay{
    "platform.relay_outbox", std::chrono::milliseconds{500}, Replicas::one};
constexpr TaskInfo kWatch{"platform.watch_outbox", std::chrono::seconds{15}};
constexpr TaskInfo kPrune{"platform.prune", std::chrono::minutes{10}, Replicas::one};
constexpr TaskInfo kProbe{"platform.probe_wakeups", std::chrono::seconds{60}};
constexpr TaskInfo kWatchDisk{"platform.watch_disk", std::chrono::seconds{2}};
constexpr std::array kTasks{kRelay, kWatch, kPrune};
constexpr std::chrono::seconds kBudget{20};
constexpr std::int64_t kPruneBatch = 500;
constexpr db::SystemScope kPruneInbox{"inbox.prune"};

// "platform.relay_outbox", or "auth.relay_outbox" for the database of auth alone.
std::string task_name(const std::string& database, const TaskInfo& task) {
    if (database == "main") return std::string{task.name};
    return database + std::string{task.name.substr(task.name.find('.'))};
}

TaskInfo renamed(TaskInfo task, std::string_view name) {
    task.name = name;
    return task;
}

Result<Done> prune_inbox(db::Database& database, const Clock& clock, const Call& call) {
    const auto before = clock.now() - outbox::kInboxKeptFor;
    const auto prune_batch = [&](db::Session& session) -> Result<std::int64_t> {
        return outbox::Inbox{session}.prune(before, kPruneBatch);
    };
    while (!call.deadline.is_expired(clock)) {
        SYNAPSEX_TRY(const auto pruned, database.write(kPruneInbox, call, prune_batch));
        if (pruned < kPruneBatch) break;
    }
    return Done{};
}

}  // namespace

struct HostedDatabase::Tasks {
    explicit Tasks(HostedDatabase& host)
        : watch_name(task_name(host.name_, kWatch)),
          prune_name(task_name(host.name_, kPrune)),
          probe_name(task_name(host.name_, kProbe)),
          disk_name(task_name(host.name_, kWatchDisk)),
          watch(
              renamed(kWatch, watch_name), host.platform_.tasks,
              [&]() -> Result<TaskRun> {
                  SYNAPSEX_CHECK(host.relay_->measure(host.call(watch_name)));
                  return TaskRun::done;
              }
          ),
          prune(
              renamed(kPrune, prune_name), host.platform_.leased(*host.database_),
              [&](const leases::Lease&) -> Result<Done> {
                  const auto call = host.call(prune_name);
                  SYNAPSEX_CHECK(host.answers_.prune(call, host.platform_.clock));
                  return prune_inbox(*host.database_, host.platform_.clock, call);
              }
          ) {
        const auto& platform = host.platform_;
        if (!host.listen_url_.empty())
            hearing.emplace(
                renamed(kProbe, probe_name),
                wakeups::Hearing::Parts{
                    *host.database_, platform.wakeups, platform.tasks, platform.clock,
                    platform.random},
                host.listen_url_
            );
        if (!host.disk_watch_) return;
        disk.emplace(
            renamed(kWatchDisk, disk_name), host.platform_.tasks,
            [&]() -> Result<TaskRun> {
                SYNAPSEX_CHECK(host.disk_watch_->look());
                return TaskRun::done;
            }
        );
    }

    const std::string watch_name;
    const std::string prune_name;
    const std::string probe_name;
    const std::string disk_name;
    PeriodicTask watch;
    leases::LeasedTask prune;
    std::optional<wakeups::Hearing> hearing{};
    std::optional<PeriodicTask> disk{};
};

HostedDatabase::HostedDatabase(
    const Platform& platform, const Place& place, std::unique_ptr<db::Database> database
)
    : platform_(platform),
      name_(place.name),
      database_(std::move(database)),
      listen_url_(place.listen_url),
      answers_(*database_, platform.random, platform.metrics, name_),
      relay_task_(task_name(name_, kRelay)) {
    if (!place.file.empty())
        disk_watch_.emplace(
            DiskWatch::Parts{disk_, *database_, platform.metrics, place.file, name_}
        );
}

HostedDatabase::~HostedDatabase() = default;

std::span<const PlatformPart> HostedDatabase::parts() {
    static constexpr std::array<PlatformPart, 5> kParts{{
        {"platform.migrations", {}, db::kMigrationTables},
        {"platform.leases", leases::kMigrations, leases::kTables},
        {"platform.idempotency", idempotency::kMigrations, idempotency::kTables},
        {"platform.outbox", outbox::kMigrations, outbox::kTables},
        {"platform.certificates", certificates::kMigrations, certificates::kTables},
    }};
    return kParts;
}

std::span<const TaskInfo> HostedDatabase::tasks() { return kTasks; }

void HostedDatabase::prepare() {
    database_->prepare_all(leases::LeaseStore::queries());
    database_->prepare_all(leases::WorkItems::queries());
    database_->prepare_all(idempotency::AnswerStore::queries());
    database_->prepare_all(outbox::OutboxStore::queries());
    database_->prepare_all(outbox::EarlierOutbox::queries());
    database_->prepare_all(outbox::Inbox::queries());
    database_->prepare_all(wakeups::queries());
    database_->prepare_all(certificates::CertificateNotices::queries());
}

void HostedDatabase::start(const std::vector<outbox::Consumer*>& consumers) {
    // What cannot be measured now is reported by the task.
    if (disk_watch_) (void)disk_watch_->look();
    const outbox::Relay::Parts parts{
        .database = *database_,
        .clock = platform_.clock,
        .metrics = platform_.metrics,
        .consumers = consumers,
    };
    relay_.emplace(parts, name_);
    tasks_ = std::make_unique<Tasks>(*this);
}

void HostedDatabase::start_relay() {
    relaying_.emplace(
        renamed(kRelay, relay_task_), platform_.leased(*database_),
        [this](const leases::Lease& lease) { return relay_->run(call(relay_task_), lease); }
    );
}

void HostedDatabase::stop_relay() { relaying_.reset(); }

void HostedDatabase::stop() {
    stop_relay();
    tasks_.reset();
}

Call HostedDatabase::call(std::string_view task) const {
    return Call::system(std::string{task}, Deadline::after(platform_.clock, kBudget));
}

}  // namespace synapsex::app
