// What it costs to tell of a change in its own transaction, on an engine of choice: see README.md.
//
//   bench_outbox <database url> [seconds a run] [rounds]

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/platform/db/migrate.hpp"
#include "controlplane/platform/leases/lease_store.hpp"
#include "controlplane/platform/leases/migrations.hpp"
#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/platform/outbox/relay.hpp"
#include "shared/base/log.hpp"
#include "tests/bench/db/open_database.hpp"

namespace synapsex::outbox {
namespace {

using namespace std::chrono_literals;
using Clocked = std::chrono::steady_clock;

constexpr int kCallers = 64;
constexpr auto kRelayInterval = 500ms;  // as the control plane's
constexpr db::SystemScope kBench{"bench.outbox"};

// Like a service's table: found by its id, listed by name.
constexpr std::array kMigrations{db::Migration{1, "0001_create_vms", R"sql(
    CREATE TABLE bench_vms (
        tenant_id ${id} NOT NULL,
        vm_id ${id} NOT NULL,
        name TEXT NOT NULL,
        note TEXT NOT NULL,
        created_at ${int} NOT NULL,
        updated_at ${int} NOT NULL,
        PRIMARY KEY (tenant_id, vm_id)
    ) ${strict};
    CREATE INDEX bench_vms_by_name ON bench_vms (tenant_id, name);
)sql"}};
constexpr db::Query kCount{"bench.count", R"sql(
    SELECT count(*) AS vms FROM bench_vms WHERE tenant_id = $1 AND name = $2)sql"};
constexpr db::Query kInsert{"bench.insert", R"sql(
    INSERT INTO bench_vms (tenant_id, vm_id, name, note, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $5))sql"};
constexpr db::Query kClearVms{"bench.clear_vms", "DELETE FROM bench_vms"};
constexpr db::Query kClearPosted{"bench.clear_posted", "DELETE FROM platform_outbox_posted"};
constexpr db::Query kClearNumbered{"bench.clear_numbered", "DELETE FROM platform_outbox_numbered"};

enum class Outbox { off, on };

class Bench {
 public:
    explicit Bench(const std::string& url)
        : database_(db::open_database(url, clock_, random_, metrics_)) {
        const std::array services{
            db::ServiceMigrations{"platform.leases", leases::kMigrations},
            db::ServiceMigrations{"platform.outbox", outbox::kMigrations},
            db::ServiceMigrations{"bench", kMigrations},
        };
        db::migrate(*database_, services, clock_);
    }

    // Writes a second, each with its message if it is on, and the relay at work.
    double run(std::chrono::duration<double> time, Outbox outbox) {
        clear();
        std::atomic<std::int64_t> written{0};
        std::jthread relaying;
        if (outbox == Outbox::on)
            relaying = std::jthread{[this](const std::stop_token& stop) { relay(stop); }};
        const auto started = Clocked::now();
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < kCallers; ++i)
                threads.emplace_back([&] {
                    while (Clocked::now() - started < time) {
                        write(outbox);
                        ++written;
                    }
                });
        }
        const std::chrono::duration<double> took = Clocked::now() - started;
        return static_cast<double>(written) / took.count();
    }

 private:
    void write(Outbox outbox) {
        Call call = call_;
        call.request_id = "req_01hv3zzzzzzzzzzzzzzzzzzzzz";
        call.argument_digest = std::string(64, 'a');
        const auto now = clock_.now();
        const auto vm = MessageId::make(now, random_).text();
        const News news{MessageId::make(now, random_), now, "vm.created", vm, kData};
        const auto fn = [&](db::Session& session) -> Result<Done> {
            session.query(kCount, kTenant, vm);
            session.execute(kInsert, kTenant, vm, vm, kData, now);
            if (outbox == Outbox::on) add(session, call, news);
            return Done{};
        };
        database_->write(kBench, call, fn).value();
    }

    void relay(const std::stop_token& stop) {
        Relay outbox{{.database = *database_, .clock = clock_, .metrics = metrics_}, "bench"};
        const auto lease = database_->write(
            kBench, call_, [](db::Session& session) -> Result<leases::Lease> {
                return leases::LeaseStore{session}.acquire("bench", "bench", 1h).value();
            }
        );
        while (!stop.stop_requested()) {
            outbox.run(call_, lease.value()).value();
            std::this_thread::sleep_for(kRelayInterval);
        }
    }

    void clear() {
        const auto fn = [](db::Session& session) -> Result<Done> {
            session.execute(kClearVms);
            session.execute(kClearPosted);
            session.execute(kClearNumbered);
            return Done{};
        };
        database_->write(kBench, call_, fn).value();
    }

    const std::string kTenant = "ten_01hv3zzzzzzzzzzzzzzzzzzzzz";
    const std::string kData =
        R"({"id":"vm_01hv3zzzzzzzzzzzzzzzzzzzzz","name":"web-1.example.net","state":"online"})";
    const SystemClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    std::unique_ptr<db::Database> database_;
    const Call call_ = Call::system("bench", Deadline::never());
};

void print(const char* what, std::vector<double> figures) {
    std::ranges::sort(figures);
    std::printf(
        "%-44s %10.2f (%.2f to %.2f)\n", what, figures[figures.size() / 2], figures.front(),
        figures.back()
    );
}

void run(const std::string& url, std::chrono::duration<double> time, int rounds) {
    set_log_level(LogLevel::error);
    Bench bench{url};
    std::vector<double> with;
    std::vector<double> without;
    std::vector<double> ratios;
    bench.run(time, Outbox::on);  // to warm up
    for (int i = 0; i < rounds; ++i) {
        without.push_back(bench.run(time, Outbox::off));
        with.push_back(bench.run(time, Outbox::on));
        ratios.push_back(with.back() / without.back());
    }
    std::printf("median of %d rounds of %.1f s, %d callers\n", rounds, time.count(), kCallers);
    print("without an outbox, writes/s", without);
    print("with, the relay at work, writes/s", with);
    print("with / without (target >= 0.85)", ratios);
}

}  // namespace
}  // namespace synapsex::outbox

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: bench_outbox <database url> [seconds a run] [rounds]\n", stderr);
        return 2;
    }
    const std::chrono::duration<double> time{argc > 2 ? std::atof(argv[2]) : 3.0};
    synapsex::outbox::run(argv[1], time, argc > 3 ? std::atoi(argv[3]) : 5);
}
