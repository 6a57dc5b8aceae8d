// What PostgreSQL alone has: tenants kept apart by row level security, conflicts between
// transactions, connections that are lost. Skipped on SQLite.

#include "controlplane/platform/db/postgres/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "tests/support/test_database.hpp"

// libpqxx 6.4 loses a result (about 2.5 KB) when it finds the connection gone while it makes one.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx-6.4.so\n"; }

namespace synapsex::db {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kCreateNotes = R"sql(
    CREATE TABLE notes (
        tenant_id ${id} NOT NULL, note_id ${id} NOT NULL, PRIMARY KEY (tenant_id, note_id)
    ) ${strict};
    CREATE TABLE settings (name TEXT PRIMARY KEY) ${strict};
)sql";
constexpr std::string_view kCopyNotes = R"sql(
    CREATE TABLE copies (tenant_id ${id} NOT NULL, note_id ${id} NOT NULL) ${strict};
    INSERT INTO copies (tenant_id, note_id) SELECT tenant_id, note_id FROM notes;
)sql";
constexpr Migration kMigrations[] = {
    {1, "0001_create_notes", kCreateNotes}, {2, "0002_copy_notes", kCopyNotes}};

constexpr Query kInsert{"notes.insert", "INSERT INTO notes (tenant_id, note_id) VALUES ($1, $2)"};
constexpr Query kList{"notes.list", "SELECT note_id FROM notes ORDER BY note_id"};
constexpr Query kListCopies{"notes.list_copies", "SELECT note_id FROM copies ORDER BY note_id"};
constexpr Query kDeleteAll{"notes.delete_all", "DELETE FROM notes"};
constexpr Query kSleep{"notes.sleep", "SELECT pg_sleep(60) AS slept"};
constexpr Query kWhoAmI{"notes.who_am_i", "SELECT current_user AS name"};
constexpr Query kCreateTable{"notes.create_table", "CREATE TABLE mine (a bigint)"};
constexpr Query kSettingOfTenant{"notes.setting", R"sql(
    SELECT current_setting('synapsex.tenant_id', true) AS name)sql"};

class Postgres : public ::testing::Test {
 protected:
    void SetUp() override {
        if (!database.is_postgres()) GTEST_SKIP() << "not on PostgreSQL";
    }

    Call call_of(const TenantId& tenant, Deadline deadline = Deadline::never()) const {
        auto call = Call::system("test", deadline);
        call.tenant = tenant;
        return call;
    }
    Result<Done> insert(const Call& call, const TenantId& tenant, std::string_view note) {
        return database->write(call, [&](Session& session) -> Result<Done> {
            session.execute(kInsert, tenant, note);
            return Done{};
        });
    }
    // As a restart of the server, or an operator, does.
    void end_connections() {
        testing::TestDatabase::run_tool(
            "psql -q -d " + database.name() +
            " -c 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()' >/dev/null"
        );
    }
    std::vector<std::string> notes(const Call& call, const Query& query = kList) {
        return database->read(call, [&](Session& session) { return notes_of(session, query); })
            .value();
    }
    static Result<std::vector<std::string>> notes_of(Session& session, const Query& query) {
        std::vector<std::string> notes;
        const auto rows = session.query(query);
        for (std::size_t i = 0; i < rows.size(); ++i)
            notes.push_back(rows[i].get<std::string>(rows.columns[0]));
        return notes;
    }

    SystemClock clock;
    SystemRandom random;
    testing::TestDatabase database{
        clock, {{"notes-service", std::span{kMigrations}.first(1)}}};
    const TenantId mine = TenantId::make(clock.now(), random);
    const TenantId theirs = TenantId::make(clock.now(), random);
};

TEST_F(Postgres, shows_a_tenant_its_own_rows_whatever_the_statement_says) {
    ASSERT_TRUE(insert(call_of(mine), mine, "a"));
    ASSERT_TRUE(insert(call_of(theirs), theirs, "b"));
    EXPECT_THAT(notes(call_of(mine)), ElementsAre("a"));
    EXPECT_THAT(notes(call_of(theirs)), ElementsAre("b"));
    EXPECT_THAT(notes(call_of(TenantId{})), ElementsAre());
    const auto deleted = database->write(call_of(mine), [](Session& s) -> Result<std::int64_t> {
        return s.execute(kDeleteAll);
    });
    EXPECT_EQ(deleted.value(), 1);
    EXPECT_THAT(notes(call_of(theirs)), ElementsAre("b"));
}

TEST_F(Postgres, lets_a_tenant_write_no_row_of_another) {
    EXPECT_THROW((void)insert(call_of(mine), theirs, "planted"), DatabaseError);
    EXPECT_THAT(notes(call_of(theirs)), ElementsAre());
}

TEST_F(Postgres, a_migration_gives_way_to_who_is_at_its_table_and_ends_when_that_is_gone) {
    static constexpr Migration kWithTitle[] = {
        kMigrations[0], {2, "0002_add_title", "ALTER TABLE notes ADD COLUMN title TEXT;"}};
    const auto migrate_within = [&](std::chrono::milliseconds patience) {
        const auto other = open_postgres(
            {.url = database.url(), .schema_time_max = patience}, clock, random, database.metrics()
        );
        migrate(*other, std::array{ServiceMigrations{"notes-service", kWithTitle}}, clock);
    };
    std::string refusal;
    const auto written = database->write(call_of(mine), [&](Session& session) -> Result<Done> {
        session.execute(kInsert, mine, "a");
        std::jthread{[&] {
            try {
                migrate_within(0ms);
            } catch (const DatabaseError& error) {
                refusal = error.what();
            }
        }}.join();
        return Done{};
    });
    EXPECT_TRUE(written);
    EXPECT_THAT(refusal, HasSubstr("0002_add_title: script: ERROR:  canceling statement due to"));
    migrate_within(60s);
    EXPECT_THAT(notes(call_of(mine)), ElementsAre("a"));
}

TEST_F(Postgres, shows_all_rows_in_a_system_scope) {
    ASSERT_TRUE(insert(call_of(mine), mine, "a"));
    ASSERT_TRUE(insert(call_of(theirs), theirs, "b"));
    const auto all = database->read(SystemScope{"test"}, call_of(mine), [](Session& session) {
        return notes_of(session, kList);
    });
    EXPECT_THAT(all.value(), ElementsAre("a", "b"));
}

TEST_F(Postgres, runs_closures_in_roles_that_own_nothing) {
    EXPECT_THAT(notes(call_of(mine), kWhoAmI), ElementsAre("synapsex_tenant"));
    EXPECT_THROW(
        (void)database->write(
            SystemScope{"test"}, call_of(mine),
            [](Session& s) -> Result<std::int64_t> { return s.execute(kCreateTable); }
        ),
        DatabaseError
    );
}

TEST_F(Postgres, leaves_no_setting_of_a_transaction_to_the_next) {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(insert(call_of(mine), mine, std::to_string(i)));
    const auto system = database->read(SystemScope{"test"}, call_of(mine), [](Session& session) {
        return notes_of(session, kSettingOfTenant);
    });
    EXPECT_THAT(system.value(), ElementsAre(""));
}

TEST_F(Postgres, migrates_rows_of_every_tenant) {
    ASSERT_TRUE(insert(call_of(mine), mine, "a"));
    ASSERT_TRUE(insert(call_of(theirs), theirs, "b"));
    const ServiceMigrations all{"notes-service", kMigrations};
    migrate(*database, {&all, 1}, clock);
    EXPECT_THAT(notes(call_of(mine), kListCopies), ElementsAre("a"));
    EXPECT_THAT(notes(call_of(theirs), kListCopies), ElementsAre("b"));
}

TEST_F(Postgres, stops_a_statement_at_the_deadline) {
    const auto started = clock.steady_now();
    const auto soon = Deadline::after(clock, std::chrono::milliseconds{100});
    const auto slept = database->read(call_of(mine, soon), [](Session& session) {
        return notes_of(session, kSleep);
    });
    ASSERT_FALSE(slept);
    EXPECT_EQ(slept.error().code, "database.busy");
    // The server stopped it; the watchdog, which comes later, would only have hung up.
    EXPECT_EQ(slept.error().detail, "The transaction took too long.");
    EXPECT_LT(clock.steady_now() - started, std::chrono::seconds{30});
    EXPECT_TRUE(database->is_healthy());
}

TEST_F(Postgres, undoes_a_closure_whose_statements_together_take_too_long) {
    static constexpr Query kNap{"notes.nap", "SELECT pg_sleep(0.08) AS slept"};
    const auto soon = Deadline::after(clock, std::chrono::milliseconds{200});
    const auto slow = database->write(call_of(mine, soon), [&](Session& session) -> Result<Done> {
        session.execute(kInsert, mine, "late");
        for (int i = 0; i < 4; ++i) session.query(kNap);
        return Done{};
    });
    ASSERT_FALSE(slow);
    EXPECT_EQ(slow.error().code, "database.busy");
    EXPECT_THAT(notes(call_of(mine)), ElementsAre());
}

TEST_F(Postgres, runs_one_again_of_two_closures_that_look_at_what_the_other_changes) {
    static constexpr Query kDelete{"notes.delete", "DELETE FROM notes WHERE note_id = $1"};
    ASSERT_TRUE(insert(call_of(mine), mine, "a"));
    ASSERT_TRUE(insert(call_of(mine), mine, "b"));
    std::latch both_have_looked{2};
    const auto leave_unless_last = [&](std::string_view note) {
        bool is_first_run = true;
        const auto left = database->write(call_of(mine), [&](Session& session) -> Result<Done> {
            const auto count = session.query(kList).size();
            if (std::exchange(is_first_run, false)) both_have_looked.arrive_and_wait();
            if (count > 1) session.execute(kDelete, note);
            return Done{};
        });
        EXPECT_TRUE(left);
    };
    {
        const std::jthread first{[&] { leave_unless_last("a"); }};
        const std::jthread second{[&] { leave_unless_last("b"); }};
    }
    EXPECT_EQ(notes(call_of(mine)).size(), 1U);
}

TEST_F(Postgres, runs_a_closure_again_that_finds_its_key_taken_by_a_rival) {
    static constexpr Query kFind{"notes.find", "SELECT note_id FROM notes WHERE note_id = $1"};
    constexpr SystemScope kClaims{"test", Isolation::claims};
    std::latch both_have_looked{2};
    std::atomic<int> made{0};
    const auto make_unless_there = [&] {
        bool is_first_run = true;
        const auto is_made = database->write(
            kClaims, call_of(mine),
            [&](Session& session) -> Result<bool> {
                const bool is_there = !session.query(kFind, "a").empty();
                if (std::exchange(is_first_run, false)) both_have_looked.arrive_and_wait();
                if (!is_there) session.execute(kInsert, mine, "a");
                return !is_there;
            }
        );
        if (is_made.value()) ++made;
    };
    {
        const std::jthread first{[&] { EXPECT_NO_THROW(make_unless_there()); }};
        const std::jthread second{[&] { EXPECT_NO_THROW(make_unless_there()); }};
    }
    EXPECT_EQ(made, 1);
}

// What the tests cannot do as the superuser that they are: own a table and yet be bound.
TEST_F(Postgres, binds_the_owner_of_a_table_to_its_policies_too) {
    static constexpr Query kForced{"notes.forced", R"sql(
        SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity
        ORDER BY relname)sql"};
    EXPECT_THAT(notes(call_of(mine), kForced), ElementsAre("notes"));
}

TEST_F(Postgres, compares_every_text_by_its_bytes_whatever_the_clusters_locale) {
    static constexpr Query kOtherwise{"notes.otherwise", R"sql(
        SELECT table_name || '.' || column_name AS name FROM information_schema.columns
        WHERE table_schema = current_schema() AND data_type = 'text'
            AND collation_name IS DISTINCT FROM 'C')sql"};
    EXPECT_THAT(notes(call_of(mine), kOtherwise), ElementsAre());
}

TEST_F(Postgres, goes_on_after_its_connections_were_ended) {
    ASSERT_TRUE(insert(call_of(mine), mine, "a"));
    end_connections();
    EXPECT_THAT(notes(call_of(mine)), ElementsAre("a"));
    ASSERT_TRUE(insert(call_of(mine), mine, "b"));
}

TEST_F(Postgres, keeps_nothing_of_a_closure_that_loses_its_connection_again_and_again) {
    const auto losing = [&](Session& session) -> Result<Done> {
        end_connections();
        session.execute(kInsert, mine, "lost");
        return Done{};
    };
    const auto lost = database->write(call_of(mine), losing);
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, "database.busy");
    EXPECT_THAT(lost.error().detail, HasSubstr("cannot be reached"));
    EXPECT_THAT(notes(call_of(mine)), ElementsAre());
}

TEST_F(Postgres, neither_repeats_nor_praises_a_commit_whose_answer_is_lost) {
    int runs = 0;
    const auto losing = [&](Session& session) -> Result<Done> {
        ++runs;
        session.execute(kInsert, mine, "perhaps");
        end_connections();
        return Done{};
    };
    EXPECT_THROW((void)database->write(call_of(mine), losing), DatabaseError);
    EXPECT_EQ(runs, 1);
}

TEST_F(Postgres, never_tells_the_password_of_a_url_that_does_not_work) {
    Metrics metrics;
    try {
        (void)open_postgres(
            {.url = "postgresql://nobody:hunter2@127.0.0.1:1/none"}, clock, random, metrics
        );
        FAIL() << "connected";
    } catch (const DatabaseError& error) {
        EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
        EXPECT_THAT(error.what(), HasSubstr("127.0.0.1"));
    }
}

}  // namespace
}  // namespace synapsex::db
