// What the services declare of their tables, held against what their migrations make.

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "controlplane/app/services.hpp"
#include "shared/crypto/file_key_store.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::app {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::StartsWith;

// A pair: each engine has its own catalogue.
constexpr db::Query kListTables{
    "test.list_tables",
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'",
    "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = current_schema()"};

class TablesTest : public ::testing::Test {
 protected:
    TablesTest() {
        config.database_url = database.url();
        config.public_url = "http://127.0.0.1:8080";
        database.close();
        services.emplace(
            Platform{clock, random, metrics, parking, tasks, wakeups}, config,
            load_or_make_identity(folder.path(), config.public_url, keys)
        );
        api::Router router;
        services->prepare(router);
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{clock};
    Metrics metrics;
    api::ParkingLot parking;
    wakeups::Board wakeups;
    testing::TemporaryFolder folder;
    crypto::FileKeyStore keys{folder.path(), random};
    TaskBook tasks{metrics, clock};
    Config config;
    std::optional<Services> services;
};

TEST_F(TablesTest, every_table_that_migrations_make_is_declared_once_by_its_owner) {
    std::multiset<std::string> declared;
    for (const auto& owner : services->table_owners())
        for (const auto& table : owner.tables) {
            declared.emplace(table.name);
            EXPECT_THAT(std::string{table.name}, StartsWith(std::string{owner.prefix}));
        }
    services.reset();
    database.reopen();
    const auto made = database.in_read([](db::Session& session) {
        std::multiset<std::string> names;
        const auto rows = session.query(kListTables);
        for (std::size_t i = 0; i < rows.size(); ++i)
            names.insert(rows[i].get<std::string>("name"));
        return names;
    });
    EXPECT_EQ(declared, made);
}

TEST_F(TablesTest, a_growing_table_names_a_task_of_its_owner_that_prunes_it) {
    for (const auto& owner : services->table_owners()) {
        std::vector<std::string_view> names;
        for (const auto& task : owner.tasks) names.push_back(task.name);
        for (const auto& table : owner.tables) {
            if (table.growth != db::Growth::growing && table.pruner.empty()) continue;
            EXPECT_THAT(names, Contains(table.pruner)) << table.name;
        }
    }
}

TEST_F(TablesTest, only_the_audit_log_lasts) {
    std::vector<std::string_view> lasting;
    for (const auto& owner : services->table_owners())
        for (const auto& table : owner.tables)
            if (table.growth == db::Growth::lasting) lasting.push_back(table.name);
    EXPECT_THAT(lasting, ElementsAre("audit_entries"));
}

TEST_F(TablesTest, every_task_that_is_declared_runs) {
    std::set<std::string> declared;
    for (const auto& owner : services->table_owners())
        for (const auto& task : owner.tasks) declared.emplace(task.name);
    services->start();
    std::set<std::string> running;
    for (const auto& task : tasks.report()) running.emplace(task.info.name);
    services->stop();
    EXPECT_TRUE(std::ranges::includes(running, declared));
}

TEST_F(TablesTest, what_is_kept_is_told_with_the_limits_that_are_declared) {
    for (const auto& owner : services->table_owners())
        for (const auto& table : owner.tables) EXPECT_NE(db::describe_kept(table), "");
    constexpr auto kGrowing = db::Growth::growing;
    using std::chrono::days;
    EXPECT_EQ(
        db::describe_kept({"t", kGrowing, days{30}, 100'000, "{time}, {rows} at most"}),
        "30 days, 100,000 at most"
    );
    EXPECT_EQ(db::describe_kept({"t", kGrowing, days{1}, 0, "{time}"}), "24 h");
    EXPECT_EQ(db::describe_kept({"t", kGrowing, std::chrono::seconds{90}, 0, "{time}"}), "90 s");
    EXPECT_THROW(db::describe_kept({"t", kGrowing, days{1}, 0, "some time"}), std::logic_error);
    EXPECT_THROW(db::describe_kept({"t", kGrowing, {}, 0, "{rows}"}), std::logic_error);
}

}  // namespace
}  // namespace synapsex::app
