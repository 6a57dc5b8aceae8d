#pragma once

// A database of its own for a test, migrated, gone at the end: a temporary SQLite file, or with
// SYNAPSEX_TEST_ENGINE=postgres one in the cluster that libpq's environment names (PGHOST, PGPORT;
// tests/support/with_postgres.sh starts one).
//
//   class TenantTest : public ::testing::Test {
//    protected:
//       testing::FakeClock clock;
//       testing::TestDatabase database{clock, {{"tenant-service", tenant::kMigrations}}};
//       Tenants tenants{*database, clock, random};
//   };
//
//   const auto count = database.in_write([&](db::Session& s) { return TenantStore{s}.count(); });

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/db/migrate.hpp"
#include "controlplane/platform/db/postgres/postgres.hpp"
#include "controlplane/platform/db/sqlite/sqlite.hpp"
#include "controlplane/platform/metrics.hpp"
#include "shared/base/log.hpp"
#include "shared/base/random.hpp"
#include "shared/base/time.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::testing {

class TestDatabase {
 public:
    // The clock is the database's too: Session::now(), deadlines, time limits.
    explicit TestDatabase(
        const Clock& clock, std::initializer_list<db::ServiceMigrations> services = {}
    )
        : TestDatabase(clock, services, {}, engine_of_environment()) {}
    // SQLite with these options, whatever the environment says; path is filled in here.
    TestDatabase(
        const Clock& clock,
        std::initializer_list<db::ServiceMigrations> services,
        db::SqliteOptions options
    )
        : TestDatabase(clock, services, std::move(options), Engine::sqlite) {}
    ~TestDatabase() {
        database_.reset();
        if (engine_ == Engine::postgres) run_tool("dropdb --force " + name_);
    }

    bool is_postgres() const { return engine_ == Engine::postgres; }
    // In the cluster.
    const std::string& name() const { return name_; }

    static void run_tool(const std::string& command) {
        if (std::system(command.c_str()) != 0) throw std::runtime_error(command + " failed");
    }

    db::Database& operator*() { return *database_; }
    db::Database* operator->() { return database_.get(); }
    Metrics& metrics() { return metrics_; }
    const std::filesystem::path& path() const { return options_.path; }

    // As a restart of the server does; what was committed is there again.
    void reopen() {
        close();
        open();
    }
    // For another process that opens it.
    void close() { database_.reset(); }
    // As in DATABASE_URL. On PostgreSQL through the pooler that tests/support/with_postgres.sh
    // started, if there is one.
    std::string url() const {
        if (engine_ == Engine::sqlite) return "sqlite://" + options_.path.string();
        const char* const pooler = std::getenv("SYNAPSEX_TEST_POOLER");
        return "postgresql://" + std::string{pooler ? pooler : ""} + "/" + name_;
    }

    // Runs fn(Session&) in a transaction without a deadline and gives back what it returns, which
    // need not be a Result: for tests of stores.
    template <class Fn>
    auto in_write(Fn&& fn) {
        return unwrap(fn, [&](auto&& body) { return database_->write(kScope, call_, body); });
    }
    template <class Fn>
    auto in_read(Fn&& fn) {
        return unwrap(fn, [&](auto&& body) { return database_->read(kScope, call_, body); });
    }

 private:
    // Tests of stores play several tenants.
    static constexpr db::SystemScope kScope{"test"};

    enum class Engine { sqlite, postgres };

    static Engine engine_of_environment() {
        const char* const engine = std::getenv("SYNAPSEX_TEST_ENGINE");
        return engine && std::string_view{engine} == "postgres" ? Engine::postgres : Engine::sqlite;
    }

    TestDatabase(
        const Clock& clock,
        std::initializer_list<db::ServiceMigrations> services,
        db::SqliteOptions options,
        Engine engine
    )
        : clock_(clock), engine_(engine), options_(std::move(options)) {
        set_log_level(LogLevel::warning);  // a line for every migration of every test says nothing
        options_.path = folder_.path() / "test.db";
        if (engine_ == Engine::postgres) run_tool("createdb --template=template0 " + name_);
        open();
        db::migrate(*database_, {services.begin(), services.end()}, clock_);
    }

    void open() {
        if (engine_ == Engine::sqlite)
            database_ = db::open_sqlite(options_, clock_, metrics_);
        else
            database_ = db::open_postgres(
                {.url = url(), .connections_max = 8}, clock_, random_, metrics_
            );
    }

    static std::string fresh_name() {
        static std::atomic<int> made{0};
        return "synapsex_" + std::to_string(::getpid()) + "_" + std::to_string(++made);
    }

    template <class Fn, class Transact>
    static auto unwrap(Fn& fn, const Transact& transact) {
        using Value = std::invoke_result_t<Fn&, db::Session&>;
        if constexpr (std::is_void_v<Value>) {
            transact([&](db::Session& session) -> Result<Done> {
                fn(session);
                return Done{};
            }).value();
        } else {
            return transact(
                       [&](db::Session& session) -> Result<Value> { return fn(session); }
            ).value();
        }
    }

    const Clock& clock_;
    const Engine engine_;
    const std::string name_ = fresh_name();
    SystemRandom random_;
    Metrics metrics_;
    TemporaryFolder folder_{memory_folder()};
    db::SqliteOptions options_;
    std::unique_ptr<db::Database> database_;
    Call call_ = Call::system("test", Deadline::never());
};

}  // namespace synapsex::testing
