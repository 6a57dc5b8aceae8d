#pragma once

// A database of its own for a test: a temporary SQLite file, migrated, gone at the end.
//
//   class TenantTest : public ::testing::Test {
//    protected:
//       testing::FakeClock clock;
//       testing::TestDatabase database{clock, {{"tenant-service", tenant::kMigrations}}};
//       Tenants tenants{*database, clock, random};
//   };
//
//   const auto count = database.in_write([&](db::Session& s) { return TenantStore{s}.count(); });

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/db/migrate.hpp"
#include "controlplane/platform/db/sqlite/sqlite.hpp"
#include "controlplane/platform/metrics.hpp"
#include "shared/base/log.hpp"
#include "shared/base/time.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::testing {

class TestDatabase {
 public:
    // The clock is the database's too: Session::now(), deadlines, time limits.
    explicit TestDatabase(
        const Clock& clock, std::initializer_list<db::ServiceMigrations> services = {}
    )
        : TestDatabase(clock, services, {}) {}
    // With options of the engine; path is filled in here.
    TestDatabase(
        const Clock& clock,
        std::initializer_list<db::ServiceMigrations> services,
        db::SqliteOptions options
    )
        : clock_(clock), options_(std::move(options)) {
        set_log_level(LogLevel::warning);  // a line for every migration of every test says nothing
        options_.path = folder_.path() / "test.db";
        open();
        db::migrate(*database_, {services.begin(), services.end()}, clock_);
    }

    db::Database& operator*() { return *database_; }
    db::Database* operator->() { return database_.get(); }
    Metrics& metrics() { return metrics_; }
    const std::filesystem::path& path() const { return options_.path; }

    // As a restart of the server does; what was committed is there again.
    void reopen() {
        database_.reset();
        open();
    }

    // Runs fn(Session&) in a transaction without a deadline and gives back what it returns, which
    // need not be a Result: for tests of stores.
    template <class Fn>
    auto in_write(Fn&& fn) {
        return unwrap(fn, [&](auto&& body) { return database_->write(call_, body); });
    }
    template <class Fn>
    auto in_read(Fn&& fn) {
        return unwrap(fn, [&](auto&& body) { return database_->read(call_, body); });
    }

 private:
    void open() { database_ = db::open_sqlite(options_, clock_, metrics_); }

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
    Metrics metrics_;
    TemporaryFolder folder_{memory_folder()};
    db::SqliteOptions options_;
    std::unique_ptr<db::Database> database_;
    Call call_ = Call::system("test", Deadline::never());
};

}  // namespace synapsex::testing
