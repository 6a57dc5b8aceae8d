// Group commit against what it is made of: see README.md.
//
//   bench_db [folder] [seconds a run] [rounds]

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/platform/db/migrate.hpp"
#include "controlplane/platform/db/sqlite/sqlite.hpp"
#include "shared/base/log.hpp"
#include "shared/sqlite/connection.hpp"

namespace synapsex::db {
namespace {

using namespace std::chrono_literals;
using Clocked = std::chrono::steady_clock;
using Latency = std::chrono::duration<double, std::milli>;

constexpr int kCallers = 64;
// Written first, in one transaction: the write-ahead log gets its full size, so that no run pays
// for growing a file (each fsync of a growing file also commits the file system's journal).
constexpr std::int64_t kPrefilled = 30'000;
constexpr std::int64_t kCreatedAt = 1'760'000'000'000'000;

constexpr std::array kMigrations{Migration{1, "0001_create_vms", R"sql(
    CREATE TABLE bench_vms (
        tenant_id ${id} NOT NULL,
        vm_id ${id} NOT NULL,
        name TEXT NOT NULL,
        created_at ${int} NOT NULL,
        PRIMARY KEY (tenant_id, vm_id)
    ) ${strict};
)sql"}};
constexpr Query kInsert{"bench.insert", R"sql(
    INSERT INTO bench_vms (tenant_id, vm_id, name, created_at) VALUES ($1, $2, $3, $4))sql"};

struct Settings {
    std::filesystem::path folder = ".";
    std::chrono::duration<double> time{2.0};
    int rounds = 5;
};

struct Run {
    double per_second = 0;
    double p50_ms = 0;
    double p99_ms = 0;
    double writes_a_commit = 0;
};

// As long as ids of the product, one after the other as ULIDs are.
std::string make_id(std::int64_t number) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "vm_%026lld", static_cast<long long>(number));
    return text.data();
}
const std::string kTenant = "ten_01hv3zzzzzzzzzzzzzzzzzzzzz";
const std::string kName = "web-1.example.net";

// A migrated file of its own, away with its neighbours at the end.
class BenchFile {
 public:
    explicit BenchFile(const Settings& settings) : folder_(settings.folder / "bench_db.tmp") {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    ~BenchFile() { std::filesystem::remove_all(folder_); }
    BenchFile(const BenchFile&) = delete;
    BenchFile& operator=(const BenchFile&) = delete;

    std::unique_ptr<Database> open(const Clock& clock, Metrics& metrics) const {
        auto database = open_sqlite({.path = path()}, clock, metrics);
        const std::array services{ServiceMigrations{"bench", kMigrations}};
        migrate(*database, services, clock);
        return database;
    }
    std::filesystem::path path() const { return folder_ / "bench.db"; }

 private:
    std::filesystem::path folder_;
};

double rate(std::int64_t writes, Clocked::time_point since) {
    return static_cast<double>(writes) /
           std::chrono::duration<double>(Clocked::now() - since).count();
}

double percentile(std::vector<Latency>& sorted, double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
    return sorted[index].count();
}

void prefill(Database& database) {
    const auto call = Call::system("prefill", Deadline::never());
    const auto filled = database.write(call, [](Session& s) -> Result<Done> {
        for (std::int64_t i = 0; i < kPrefilled; ++i)
            s.execute(kInsert, kTenant, make_id(i), kName, kCreatedAt);
        return Done{};
    });
    if (!filled) std::abort();
}

// The engine, from 64 threads that each wait for their answer.
Run run_database(const Settings& settings) {
    const BenchFile file{settings};
    const SystemClock clock;
    Metrics metrics;
    const auto database = file.open(clock, metrics);
    prefill(*database);
    std::atomic<std::int64_t> next{kPrefilled};
    std::vector<std::vector<Latency>> latencies(kCallers);
    const auto started = Clocked::now();
    const auto call_in_a_loop = [&](std::vector<Latency>& mine) {
        mine.reserve(1'000'000);
        while (Clocked::now() - started < settings.time) {
            const auto call = Call::system("bench", Deadline::after(clock, 10s));
            const auto vm = make_id(next++);
            const auto asked = Clocked::now();
            const auto answer = database->write(call, [&](Session& s) -> Result<Done> {
                s.execute(kInsert, kTenant, vm, kName, kCreatedAt);
                return Done{};
            });
            if (!answer) std::abort();
            mine.emplace_back(Clocked::now() - asked);
        }
    };
    {
        std::vector<std::jthread> threads;
        for (auto& mine : latencies) threads.emplace_back(call_in_a_loop, std::ref(mine));
    }
    Run run{.per_second = rate(next - kPrefilled, started)};
    std::vector<Latency> all;
    for (const auto& mine : latencies) all.insert(all.end(), mine.begin(), mine.end());
    std::ranges::sort(all);
    run.p50_ms = percentile(all, 0.50);
    run.p99_ms = percentile(all, 0.99);
    const auto& commits =
        metrics.counter("synapsex_database_commits_total", "", {{"database", "main"}});
    run.writes_a_commit =
        static_cast<double>(next - kPrefilled) / static_cast<double>(commits.value());
    return run;
}

// The peer: SQLite alone, on one thread.
class BareLoop {
 public:
    explicit BareLoop(const BenchFile& file) : connection_({.path = file.path()}) {
        connection_.pragma("journal_mode = WAL");
        connection_.pragma("synchronous = FULL");
        write(static_cast<int>(kPrefilled));
    }

    // One transaction; each row in a savepoint if there is more than one.
    void write(int rows) {
        begin_.run();
        for (int i = 0; i < rows; ++i) {
            if (rows > 1) savepoint_.run();
            const auto vm = make_id(next_++);
            insert_.bind(1, std::string_view{kTenant});
            insert_.bind(2, std::string_view{vm});
            insert_.bind(3, std::string_view{kName});
            insert_.bind(4, kCreatedAt);
            insert_.run();
            if (rows > 1) release_.run();
        }
        commit_.run();
    }
    std::int64_t written() const { return next_ - kPrefilled; }

 private:
    sqlite::Statement prepare(std::string_view sql) {
        return connection_.prepare(sql, sqlite::Lifetime::cached);
    }

    sqlite::Connection connection_;
    sqlite::Statement begin_ = prepare("BEGIN IMMEDIATE");
    sqlite::Statement commit_ = prepare("COMMIT");
    sqlite::Statement savepoint_ = prepare("SAVEPOINT closure");
    sqlite::Statement release_ = prepare("RELEASE closure");
    sqlite::Statement insert_ = prepare(kInsert.sql);
    std::int64_t next_ = 0;
};

Run run_bare(const Settings& settings, int rows) {
    const BenchFile file{settings};
    {
        const SystemClock clock;
        Metrics metrics;
        file.open(clock, metrics);
    }
    BareLoop loop{file};
    const auto started = Clocked::now();
    while (Clocked::now() - started < settings.time) loop.write(rows);
    return {.per_second = rate(loop.written(), started)};
}

Settings read_settings(std::span<char* const> arguments) {
    Settings settings;
    if (arguments.size() > 1) settings.folder = arguments[1];
    if (arguments.size() > 2)
        settings.time = std::chrono::duration<double>{std::atof(arguments[2])};
    if (arguments.size() > 3) settings.rounds = std::max(1, std::atoi(arguments[3]));
    return settings;
}

class Series {
 public:
    void add(double value) { values_.push_back(value); }
    void print(const char* what, const char* unit) {
        std::ranges::sort(values_);
        std::printf(
            "%-46s %10.2f %-8s (%.2f to %.2f)\n",
            what,
            values_[values_.size() / 2],
            unit,
            values_.front(),
            values_.back()
        );
    }

 private:
    std::vector<double> values_;
};

void run_all(const Settings& settings) {
    Series database, bare, single, to_bare, to_single, p50, p99, crowd;
    run_database({settings.folder, std::chrono::duration<double>{0.3}, 1});  // warm-up
    for (int round = 0; round < settings.rounds; ++round) {
        const auto engine = run_database(settings);
        const auto loop = run_bare(settings, kCallers);
        const auto one = run_bare(settings, 1);
        database.add(engine.per_second);
        bare.add(loop.per_second);
        single.add(one.per_second);
        to_bare.add(engine.per_second / loop.per_second);
        to_single.add(engine.per_second / one.per_second);
        p50.add(engine.p50_ms);
        p99.add(engine.p99_ms);
        crowd.add(engine.writes_a_commit);
    }
    std::printf(
        "median of %d rounds of %.1f s (lowest to highest)\n",
        settings.rounds,
        settings.time.count()
    );
    database.print("Database::write, 64 callers", "writes/s");
    bare.print("bare loop, 64 savepoints a transaction", "writes/s");
    single.print("bare loop, one row a transaction", "writes/s");
    to_bare.print("Database::write / bare loop (target >= 0.5)", "");
    to_single.print("Database::write / single commits (>= 10)", "");
    crowd.print("writes that shared a commit", "");
    p50.print("wait of a caller, p50", "ms");
    p99.print("wait of a caller, p99 (target < 20)", "ms");
}

}  // namespace
}  // namespace synapsex::db

int main(int count, char** arguments) {
    synapsex::set_log_level(synapsex::LogLevel::warning);
    synapsex::db::run_all(synapsex::db::read_settings({arguments, static_cast<std::size_t>(count)})
    );
}
