#include "controlplane/app/hosted_database.hpp"

#include "controlplane/platform/certificates/certificate_notices.hpp"
#include "controlplane/platform/certificates/migrations.hpp"
#include "controlplane/platform/db/postgres/notifications.hpp"
#include "controlplane/platform/idempotency/answer_store.hpp"
#include "controlplane/platform/idempotency/migrations.hpp"
#include "controlplane/platform/leases/migrations.hpp"
#include "controlplane/platform/leases/work_items.hpp"
#include "controlplane/platform/outbox/inbox.hpp"
#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/platform/wakeups/wakeup_probe.hpp"

namespace synapsex::app {

namespace {

constexpr std::chrono::milliseconds kRelayInterval{500};
constexpr std::chrono::seconds kWatchInterval{15};
constexpr std::chrono::seconds kProbeInterval{60};
constexpr std::chrono::minutes kPruneInterval{10};
constexpr std::chrono::seconds kBudget{20};
constexpr std::chrono::hours kInboxKeptFor{7 * 24};
constexpr std::int64_t kPruneBatch = 500;
constexpr db::SystemScope kPruneInbox{"inbox.prune"};

// "platform.relay_outbox", or "auth.relay_outbox" for the database of auth alone.
std::string task_name(const std::string& database, std::string_view what) {
    return (database == "main" ? "platform" : database) + "." + std::string{what};
}

Result<Done> prune_inbox(db::Database& database, const Clock& clock, const Call& call) {
    const auto before = clock.now() - kInboxKeptFor;
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
        : relay_name(task_name(host.name_, "relay_outbox")),
          watch_name(task_name(host.name_, "watch_outbox")),
          prune_name(task_name(host.name_, "prune_answers")),
          relay(
              {relay_name, kRelayInterval, Replicas::one}, host.platform_.leased(*host.database_),
              [&](const leases::Lease& lease) {
                  return host.relay_.run(host.call(relay_name), lease);
              }
          ),
          watch(
              {watch_name, kWatchInterval}, host.platform_.tasks,
              [&]() -> Result<TaskRun> {
                  SYNAPSEX_CHECK(host.relay_.measure(host.call(watch_name)));
                  return TaskRun::done;
              }
          ),
          prune(
              {prune_name, kPruneInterval, Replicas::one}, host.platform_.leased(*host.database_),
              [&](const leases::Lease&) -> Result<Done> {
                  const auto call = host.call(prune_name);
                  SYNAPSEX_CHECK(host.answers_.prune(call, host.platform_.clock));
                  return prune_inbox(*host.database_, host.platform_.clock, call);
              }
          ) {
        if (!host.listen_url_.empty()) hearing.emplace(host);
    }

    // What replicas tell each other through PostgreSQL.
    struct Hearing {
        explicit Hearing(HostedDatabase& host)
            : task_name(app::task_name(host.name_, "probe_wakeups")),
              probe({*host.database_, host.platform_.wakeups, host.platform_.clock,
                     host.platform_.random}),
              task({task_name, kProbeInterval}, host.platform_.tasks, [this, &host] {
                  return look(host);
              }),
              notifications(
                  {host.listen_url_, std::string{wakeups::kChannel}}, host.platform_.random,
                  {[&board = host.platform_.wakeups](std::string_view hint) {
                       board.deliver(hint);
                   },
                   [this] { task.hurry(); }}
              ) {}

        Result<TaskRun> look(HostedDatabase& host) {
            SYNAPSEX_CHECK(probe.look(host.call(task_name)));
            return TaskRun::done;
        }

        const std::string task_name;
        wakeups::WakeupProbe probe;
        PeriodicTask task;
        db::PostgresNotifications notifications;
    };

    const std::string relay_name;
    const std::string watch_name;
    const std::string prune_name;
    leases::LeasedTask relay;
    PeriodicTask watch;
    leases::LeasedTask prune;
    std::optional<Hearing> hearing;
};

HostedDatabase::HostedDatabase(
    const Platform& platform, std::string name, std::unique_ptr<db::Database> database,
    std::string listen_url
)
    : platform_(platform),
      name_(std::move(name)),
      database_(std::move(database)),
      listen_url_(std::move(listen_url)),
      answers_(*database_, platform.random, platform.metrics, name_),
      relay_(
          {.database = *database_, .clock = platform.clock, .metrics = platform.metrics}, name_
      ) {}

HostedDatabase::~HostedDatabase() = default;

std::vector<db::ServiceMigrations> HostedDatabase::migrations() {
    return {
        {"platform.leases", leases::kMigrations},
        {"platform.idempotency", idempotency::kMigrations},
        {"platform.outbox", outbox::kMigrations},
        {"platform.certificates", certificates::kMigrations},
    };
}

void HostedDatabase::prepare() {
    database_->prepare_all(leases::LeaseStore::queries());
    database_->prepare_all(leases::WorkItems::queries());
    database_->prepare_all(idempotency::AnswerStore::queries());
    database_->prepare_all(outbox::OutboxStore::queries());
    database_->prepare_all(outbox::Inbox::queries());
    database_->prepare_all(wakeups::queries());
    database_->prepare_all(certificates::CertificateNotices::queries());
}

void HostedDatabase::start() { tasks_ = std::make_unique<Tasks>(*this); }

void HostedDatabase::stop() { tasks_.reset(); }

Call HostedDatabase::call(std::string_view task) const {
    return Call::system(std::string{task}, Deadline::after(platform_.clock, kBudget));
}

}  // namespace synapsex::app
