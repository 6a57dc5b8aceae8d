#include "controlplane/platform/db/migrate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <latch>
#include <thread>

#include "controlplane/platform/db/dialect.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::db {
namespace {

using ::testing::HasSubstr;

constexpr Migration kCreate{
    1, "0001_create_notes", "CREATE TABLE note_notes (note_id ${id} PRIMARY KEY) ${strict};"};
constexpr Migration kAddTitle{
    2,
    "0002_add_title",
    "ALTER TABLE note_notes ADD COLUMN title TEXT NOT NULL DEFAULT '';\n"
    "CREATE INDEX note_notes_by_title ON note_notes (title);"};
constexpr Migration kContract{
    3,
    "0003_contract_titles",
    "DROP INDEX note_notes_by_title; ALTER TABLE note_notes DROP COLUMN title;"};
constexpr Migration kBroken{
    3,
    "0003_break",
    "CREATE TABLE note_more (x ${int}) ${strict}; CREATE TABLE note_notes (y ${int});"};

struct Record {
    std::string service;
    std::int64_t number;
    std::string name;
    std::string sha256;
    Timestamp applied_at;
};
BOOST_DESCRIBE_STRUCT(Record, (), (service, number, name, sha256, applied_at))
constexpr Query kRecords{"test.records", R"sql(
    SELECT service, number, name, sha256, applied_at FROM schema_migrations
    ORDER BY service, number)sql"};
constexpr Query kTables{
    "test.tables", "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"};
constexpr Query kPostgresTables{"test.tables", R"sql(
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = current_schema() ORDER BY table_name)sql"};

class Migrate : public ::testing::Test {
 protected:
    synapsex::testing::FakeClock clock;
    synapsex::testing::TestDatabase database{clock};

    void apply(std::vector<Migration> migrations, std::string_view service = "note-service") {
        const std::array services{ServiceMigrations{service, migrations}};
        migrate(*database, services, clock);
    }
    std::string refusal(const std::vector<Migration>& migrations) {
        try {
            apply(migrations);
        } catch (const MigrationRefused& refused) {
            return refused.what();
        }
        return "not refused";
    }
    std::vector<Record> records() {
        return database.in_read([](Session& s) { return s.list<Record>(kRecords); });
    }
    std::vector<std::string> tables() {
        return database.in_read([this](Session& s) {
            const auto rows = s.query(database.is_postgres() ? kPostgresTables : kTables);
            std::vector<std::string> names;
            for (std::size_t i = 0; i < rows.size(); ++i)
                names.push_back(rows[i].get<std::string>("name"));
            return names;
        });
    }
};

TEST_F(Migrate, applies_what_is_missing_and_records_name_hash_and_time) {
    apply({kCreate});
    const auto first_at = clock.now();
    clock.advance(std::chrono::hours{1});
    apply({kCreate, kAddTitle});
    const auto found = records();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].service, "note-service");
    EXPECT_EQ(found[0].name, "0001_create_notes");
    EXPECT_EQ(found[0].applied_at, first_at);
    EXPECT_EQ(found[0].sha256.size(), 64U);
    EXPECT_EQ(found[1].number, 2);
    EXPECT_EQ(found[1].applied_at, clock.now());
    EXPECT_NE(found[0].sha256, found[1].sha256);
}

TEST_F(Migrate, a_second_start_changes_nothing) {
    apply({kCreate, kAddTitle});
    clock.advance(std::chrono::hours{1});
    apply({kCreate, kAddTitle});
    ASSERT_EQ(records().size(), 2U);
    EXPECT_LT(records()[1].applied_at, clock.now());
}

TEST_F(Migrate, replicas_that_start_at_once_apply_each_migration_once) {
    std::latch start{4};
    {
        std::vector<std::jthread> replicas;
        for (int i = 0; i < 4; ++i)
            replicas.emplace_back([&] {
                start.arrive_and_wait();
                EXPECT_NO_THROW(apply({kCreate, kAddTitle}));
            });
    }
    EXPECT_EQ(records().size(), 2U);
}

TEST_F(Migrate, services_that_are_not_named_are_left_alone) {
    apply({kCreate}, "note-service");
    const Migration other{1, "0001_create_tags", "CREATE TABLE tag_tags (x ${int}) ${strict};"};
    EXPECT_NO_THROW(apply({other}, "tag-service"));
    EXPECT_EQ(records().size(), 2U);
}

TEST_F(Migrate, an_edited_migration_is_refused) {
    apply({kCreate, kAddTitle});
    auto edited = kCreate;
    edited.sql = "CREATE TABLE note_notes (note_id ${id} PRIMARY KEY, x ${int}) ${strict};";
    EXPECT_EQ(
        refusal({edited, kAddTitle}),
        "note-service: migration 0001_create_notes was edited after it was applied; restore its "
        "text and write a new migration"
    );
}

TEST_F(Migrate, what_a_newer_release_added_is_left_alone_and_works) {
    static constexpr Query kInsert{"test.insert", "INSERT INTO note_notes (note_id) VALUES ('a')"};
    apply({kCreate, kAddTitle});
    apply({kCreate});
    EXPECT_EQ(records().size(), 2U);
    database.in_write([](Session& s) { s.execute(kInsert); });
    apply({kCreate, kAddTitle});
    EXPECT_EQ(records().size(), 2U);
}

TEST_F(Migrate, a_service_that_is_behind_is_migrated_beside_one_that_is_ahead) {
    apply({kCreate, kAddTitle});
    const std::array tags{
        Migration{1, "0001_create_tags", "CREATE TABLE tag_tags (x ${int}) ${strict};"}};
    const std::array old_notes{kCreate};
    const std::array services{
        ServiceMigrations{"note-service", old_notes}, ServiceMigrations{"tag-service", tags}};
    migrate(*database, services, clock);
    EXPECT_THAT(tables(), ::testing::ElementsAre("note_notes", "schema_migrations", "tag_tags"));
}

TEST_F(Migrate, what_a_newer_release_took_away_is_refused_whatever_followed) {
    apply({kCreate, kAddTitle, kContract});
    const std::string refused =
        "note-service: a newer release has taken away from the database what this program may "
        "need: it has applied 0003_contract_titles; start that release instead";
    EXPECT_EQ(refusal({kCreate, kAddTitle}), refused);
    EXPECT_EQ(refusal({kCreate}), refused);
    const Migration more{4, "0004_add_body", "ALTER TABLE note_notes ADD COLUMN body TEXT;"};
    apply({kCreate, kAddTitle, kContract, more});
    EXPECT_EQ(refusal({kCreate, kAddTitle}), refused);
    EXPECT_EQ(refusal({kCreate, kAddTitle, kContract}), "not refused");
}

TEST_F(Migrate, a_newer_release_with_another_past_is_refused) {
    apply({kCreate, kAddTitle});
    auto other_past = kCreate;
    other_past.sql = "CREATE TABLE note_notes (note_id ${id} PRIMARY KEY, x ${int}) ${strict};";
    EXPECT_THAT(refusal({other_past}), HasSubstr("was edited after it was applied"));
}

TEST(Migration, is_a_contract_by_its_name) {
    EXPECT_TRUE(is_contract("0003_contract_titles"));
    EXPECT_FALSE(is_contract("0003_add_contract_titles"));
    EXPECT_FALSE(is_contract("0003_contracts"));
    EXPECT_FALSE(is_contract("contract_titles"));
    EXPECT_FALSE(is_contract(""));
}

TEST_F(Migrate, a_migration_that_was_replaced_by_another_is_refused) {
    apply({kCreate, kAddTitle});
    auto renamed = kAddTitle;
    renamed.name = "0002_add_body";
    EXPECT_THAT(
        refusal({kCreate, renamed}), HasSubstr("has applied 0002_add_title, which is gone")
    );
}

TEST_F(Migrate, a_record_that_is_missing_is_refused) {
    static constexpr Query kForget{"test.forget", "DELETE FROM schema_migrations WHERE number = 1"};
    apply({kCreate, kAddTitle});
    database.in_write([](Session& s) { s.execute(kForget); });
    EXPECT_THAT(refusal({kCreate, kAddTitle}), HasSubstr("no record of migration 1"));
}

TEST_F(Migrate, a_gap_in_the_programs_own_list_is_refused_before_anything_is_applied) {
    EXPECT_THAT(refusal({kCreate, kBroken}), HasSubstr("migration 2 is missing"));
    EXPECT_THAT(tables(), ::testing::ElementsAre("schema_migrations"));
}

TEST_F(Migrate, one_refused_service_keeps_all_others_as_they_were) {
    apply({kCreate, kAddTitle, kContract});
    const std::array new_service{
        Migration{1, "0001_create_tags", "CREATE TABLE tag_tags (x ${int}) ${strict};"}};
    const std::array old_notes{kCreate};
    const std::array services{
        ServiceMigrations{"tag-service", new_service},
        ServiceMigrations{"note-service", old_notes}};
    EXPECT_THROW(migrate(*database, services, clock), MigrationRefused);
    EXPECT_THAT(tables(), ::testing::ElementsAre("note_notes", "schema_migrations"));
}

TEST_F(Migrate, a_script_that_fails_leaves_no_half_and_names_itself) {
    try {
        apply({kCreate, kAddTitle, kBroken});
        FAIL();
    } catch (const DatabaseError& error) {
        EXPECT_THAT(error.what(), HasSubstr("note-service 0003_break: "));
    }
    EXPECT_EQ(records().size(), 2U);
    EXPECT_THAT(tables(), ::testing::ElementsAre("note_notes", "schema_migrations"));
}

TEST_F(Migrate, a_table_that_others_refer_to_can_be_rebuilt) {
    if (database.is_postgres()) GTEST_SKIP() << "PostgreSQL changes tables in place";
    static constexpr Query kCount{"test.count", "SELECT count(*) AS count FROM note_lines"};
    const Migration lines{
        2,
        "0002_create_lines",
        "CREATE TABLE note_lines (note_id ${id} NOT NULL REFERENCES note_notes ON DELETE CASCADE) "
        "${strict}; INSERT INTO note_notes VALUES ('n'); INSERT INTO note_lines VALUES ('n');"};
    const Migration rebuild{
        3,
        "0003_rebuild_notes",
        "CREATE TABLE note_new (note_id ${id} PRIMARY KEY, x ${int}) ${strict};"
        "INSERT INTO note_new (note_id) SELECT note_id FROM note_notes;"
        "DROP TABLE note_notes; ALTER TABLE note_new RENAME TO note_notes;"};
    apply({kCreate, lines, rebuild});
    const auto count =
        database.in_read([](Session& s) { return s.query(kCount)[0].get<std::int64_t>("count"); });
    EXPECT_EQ(count, 1);
}

TEST_F(Migrate, rows_that_refer_to_nothing_are_refused_at_the_end_and_afterwards) {
    static constexpr Query kDangle{"test.dangle", "INSERT INTO note_lines VALUES ('no such note')"};
    const Migration lines{
        2,
        "0002_create_lines",
        "CREATE TABLE note_lines (note_id ${id} NOT NULL REFERENCES note_notes) ${strict};"};
    const Migration dangling{
        3, "0003_fill_lines", "INSERT INTO note_lines VALUES ('no such note');"};
    EXPECT_THROW(apply({kCreate, lines, dangling}), DatabaseError);
    EXPECT_EQ(records().size(), 2U);
    EXPECT_THROW(database.in_write([](Session& s) { s.execute(kDangle); }), DatabaseError);
}

TEST_F(Migrate, readers_and_writers_see_the_new_columns_at_once) {
    static constexpr Query kInsert{"test.insert", "INSERT INTO note_notes (note_id) VALUES ($1)"};
    static constexpr Query kTitles{"test.titles", "SELECT note_id, title FROM note_notes"};
    apply({kCreate});
    database.in_write([](Session& s) { s.execute(kInsert, "a"); });
    EXPECT_EQ(tables().size(), 2U);
    apply({kCreate, kAddTitle});
    database.in_write([](Session& s) { s.execute(kInsert, "b"); });
    EXPECT_EQ(database.in_read([](Session& s) { return s.query(kTitles).size(); }), 2U);
}

TEST(Dialect, spells_placeholders_and_refuses_unknown_ones) {
    static constexpr std::array<Spelling, 2> kSpellings{{{"id", "TEXT"}, {"int", "INTEGER"}}};
    EXPECT_EQ(spell("a ${id}, b ${int}, c ${id}", kSpellings), "a TEXT, b INTEGER, c TEXT");
    EXPECT_EQ(spell("", kSpellings), "");
    EXPECT_EQ(spell("$1 {id} $", kSpellings), "$1 {id} $");
    EXPECT_THROW(spell("a ${ID}", kSpellings), std::invalid_argument);
    EXPECT_THROW(spell("a ${id", kSpellings), std::invalid_argument);
    EXPECT_THROW(spell("a ${}", kSpellings), std::invalid_argument);
}

TEST(Dialect, a_placeholder_with_a_word_has_it_wherever_its_spelling_says) {
    static constexpr std::array<Spelling, 2> kSpellings{
        {{"keep", "ON @ DO @"}, {"int", "INTEGER"}}};
    EXPECT_EQ(spell("${keep notes}; ${int}", kSpellings), "ON notes DO notes; INTEGER");
    EXPECT_THROW(spell("${keep}", kSpellings), std::invalid_argument);
    EXPECT_THROW(spell("${keep }", kSpellings), std::invalid_argument);
    EXPECT_THROW(spell("${int notes}", kSpellings), std::invalid_argument);
    EXPECT_THROW(spell("${keep notes", kSpellings), std::invalid_argument);
}

}  // namespace
}  // namespace synapsex::db
