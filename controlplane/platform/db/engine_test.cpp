// What a store may rely on, whichever engine it runs on. Run once for each (tests/support/
// test_database.hpp says how); where the two differ, the test shows what the interface makes of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "tests/support/fake_clock.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::db {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kCreateThings = R"sql(
    CREATE TABLE things (
        tenant_id ${id} NOT NULL,
        thing_id ${id} NOT NULL,
        name TEXT NOT NULL DEFAULT '',
        amount ${int},
        is_open ${bool} NOT NULL,
        ratio ${real},
        bytes ${bytes},
        PRIMARY KEY (tenant_id, thing_id)
    ) ${strict};
    CREATE TABLE counters (counter ${int} NOT NULL PRIMARY KEY, value ${int} NOT NULL) ${strict};
)sql";

constexpr Migration kMigrations[] = {{1, "0001_create_things", kCreateThings}};

constexpr Query kInsert{"things.insert", R"sql(
    INSERT INTO things (tenant_id, thing_id, name, amount, is_open, ratio, bytes)
    VALUES ($1, $2, $3, $4, $5, $6, $7))sql"};
constexpr Query kFind{"things.find", R"sql(
    SELECT thing_id, name, amount, is_open, ratio, bytes FROM things WHERE thing_id = $1)sql"};
constexpr Query kNamesByName{"things.names_by_name", R"sql(
    SELECT name FROM things ORDER BY name)sql"};
constexpr Query kNamesByAmount{"things.names_by_amount", R"sql(
    SELECT name FROM things ORDER BY amount NULLS FIRST, name)sql"};
constexpr Query kSum{"things.sum", "SELECT SUM(amount) AS total, COUNT(*) AS count FROM things"};
constexpr Query kHalf{"things.half", "SELECT $1 / 2 AS half"};
constexpr Query kOpen{"things.open", R"sql(
    SELECT name FROM things WHERE is_open = $1 ORDER BY name)sql"};
constexpr Query kCloseAll{"things.close_all", "UPDATE things SET is_open = $1 WHERE is_open"};
constexpr Query kInsertCounter{"counters.insert", R"sql(
    INSERT INTO counters (counter, value) VALUES ($1, $2) ON CONFLICT (counter) DO NOTHING
    RETURNING counter)sql"};
constexpr Query kReadCounter{"counters.read", "SELECT value FROM counters WHERE counter = $1"};
constexpr Query kWriteCounter{"counters.write", R"sql(
    UPDATE counters SET value = $2 WHERE counter = $1)sql"};

struct Thing {
    std::string thing_id;
    std::string name{};
    std::optional<std::int64_t> amount{};
    bool is_open = false;
    std::optional<double> ratio{};
    std::optional<Blob> bytes{};
    friend bool operator==(const Thing&, const Thing&) = default;
};
BOOST_DESCRIBE_STRUCT(Thing, (), (thing_id, name, amount, is_open, ratio, bytes))

class Engine : public ::testing::Test {
 protected:
    SystemClock clock;
    testing::TestDatabase database{clock, {{"things-service", kMigrations}}};
    const std::string tenant = "ten_a";

    void insert(Session& session, const Thing& thing) {
        session.execute(
            kInsert, tenant, thing.thing_id, thing.name, thing.amount, thing.is_open, thing.ratio,
            thing.bytes
        );
    }
    void insert(const Thing& thing) {
        database.in_write([&](Session& session) { insert(session, thing); });
    }
    std::vector<std::string> names(const Query& query, auto... values) {
        return database.in_read([&](Session& session) {
            std::vector<std::string> names;
            const auto rows = session.query(query, values...);
            for (std::size_t i = 0; i < rows.size(); ++i)
                names.push_back(rows[i].template get<std::string>("name"));
            return names;
        });
    }
    std::optional<Thing> find(std::string_view id) {
        return database.in_read([&](Session& s) { return s.find<Thing>(kFind, id); });
    }
    std::int64_t counter() {
        return database.in_read([](Session& session) {
            return session.query(kReadCounter, 1)[0].get<std::int64_t>("value");
        });
    }
};

TEST_F(Engine, gives_back_what_it_was_given) {
    const Thing full{
        "a", "ä \"quoted\" 'twice' $1", std::numeric_limits<std::int64_t>::min(), true, 0.1,
        Blob{std::string{"\0\xff\x80 bytes", 9}}};
    const Thing bare{"b"};
    insert(full);
    insert(bare);
    EXPECT_EQ(find("a"), full);
    EXPECT_EQ(find("b"), bare);
    EXPECT_EQ(find("c"), std::nullopt);
}

TEST_F(Engine, refuses_text_that_is_no_utf8_or_has_a_zero_byte) {
    const std::vector<std::string> texts{{"a\0b", 3}, "\xff", "\xed\xa0\x80"};
    for (const auto& text : texts)
        EXPECT_THROW(insert({.thing_id = "1", .name = text}), DatabaseError);
    EXPECT_EQ(find("1"), std::nullopt);
}

TEST_F(Engine, compares_text_by_its_bytes) {
    for (const auto* name : {"b", "B", "a", "ä", "a b", "-a", ""})
        insert({.thing_id = name, .name = name});
    EXPECT_THAT(names(kNamesByName), ElementsAre("", "-a", "B", "a", "a b", "b", "ä"));
}

TEST_F(Engine, puts_nulls_where_the_statement_says) {
    insert({.thing_id = "1", .name = "one", .amount = 1});
    insert({.thing_id = "2", .name = "none"});
    EXPECT_THAT(names(kNamesByAmount), ElementsAre("none", "one"));
}

TEST_F(Engine, takes_booleans_as_parameters_and_as_conditions) {
    insert({.thing_id = "1", .name = "open", .is_open = true});
    insert({.thing_id = "2", .name = "shut"});
    EXPECT_THAT(names(kOpen, true), ElementsAre("open"));
    EXPECT_EQ(
        database.in_write([](Session& session) { return session.execute(kCloseAll, false); }), 1
    );
    EXPECT_THAT(names(kOpen, true), ElementsAre());
}

TEST_F(Engine, divides_integers_as_integers_and_sums_them_as_integers) {
    insert({.thing_id = "1", .amount = 3'000'000'000});
    insert({.thing_id = "2", .amount = 4});
    database.in_read([](Session& session) {
        EXPECT_EQ(session.query(kHalf, 7)[0].get<std::int64_t>("half"), 3);
        const auto rows = session.query(kSum);
        EXPECT_EQ(rows[0].get<std::int64_t>("total"), 3'000'000'004);
        EXPECT_EQ(rows[0].get<std::int64_t>("count"), 2);
    });
}

TEST_F(Engine, tells_an_insert_that_found_its_row_by_what_it_returns) {
    database.in_write([](Session& session) {
        EXPECT_EQ(session.query(kInsertCounter, 1, 0).size(), 1U);
        EXPECT_EQ(session.query(kInsertCounter, 1, 5).size(), 0U);
        EXPECT_EQ(session.execute(kWriteCounter, 1, 7), 1);
        EXPECT_EQ(session.execute(kWriteCounter, 2, 7), 0);
    });
    EXPECT_EQ(counter(), 7);
}

TEST_F(Engine, undoes_what_a_closure_refuses_or_throws) {
    const auto call = Call::system("test", Deadline::never());
    const auto refusing = [&](Session& s) -> Result<Done> {
        insert(s, {.thing_id = "1"});
        return busy("no");
    };
    EXPECT_EQ(database->write(SystemScope{"test"}, call, refusing).error().detail, "no");
    const auto throwing = [&](Session& s) -> Result<Done> {
        insert(s, {.thing_id = "2"});
        throw std::runtime_error("thrown");
    };
    EXPECT_THROW((void)database->write(SystemScope{"test"}, call, throwing), std::runtime_error);
    EXPECT_EQ(find("1"), std::nullopt);
    EXPECT_EQ(find("2"), std::nullopt);
}

TEST_F(Engine, commits_nothing_after_a_statement_failed_even_if_the_closure_goes_on) {
    const auto call = Call::system("test", Deadline::never());
    const auto going_on = [&](Session& s) -> Result<Done> {
        insert(s, {.thing_id = "1"});
        try {
            s.query(kInsertCounter, 1, std::optional<std::int64_t>{});
        } catch (const DatabaseError&) {
        }
        return Done{};
    };
    EXPECT_THROW((void)database->write(SystemScope{"test"}, call, going_on), DatabaseError);
    EXPECT_EQ(find("1"), std::nullopt);
}

TEST_F(Engine, lets_closures_read_and_write_as_if_they_were_alone) {
    database.in_write([](Session& session) { session.query(kInsertCounter, 1, 0); });
    const auto add = [&] {
        for (int i = 0; i < 50; ++i)
            database.in_write([](Session& session) {
                const auto value = session.query(kReadCounter, 1)[0].get<std::int64_t>("value");
                session.execute(kWriteCounter, 1, value + 1);
            });
    };
    {
        const std::jthread first{add};
        const std::jthread second{add};
        const std::jthread third{add};
    }
    EXPECT_EQ(counter(), 150);
}

TEST_F(Engine, shows_a_read_one_snapshot) {
    database.in_read([&](Session& session) {
        EXPECT_EQ(session.find<Thing>(kFind, "1"), std::nullopt);
        std::thread{[&] { insert({.thing_id = "1"}); }}.join();
        EXPECT_EQ(session.find<Thing>(kFind, "1"), std::nullopt);
    });
    EXPECT_TRUE(find("1"));
}

TEST_F(Engine, refuses_a_transaction_inside_another) {
    const auto call = Call::system("test", Deadline::never());
    EXPECT_THROW(
        database.in_write([&](Session&) {
            (void)database->read(call, [](Session&) -> Result<Done> { return Done{}; });
        }),
        NestedTransaction
    );
}

TEST_F(Engine, answers_busy_when_the_deadline_has_passed) {
    const auto late = Call::system("test", Deadline::at(clock.steady_now()));
    const auto done = database->write(late, [](Session&) -> Result<Done> { return Done{}; });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, "database.busy");
}

TEST_F(Engine, refuses_a_statement_that_it_cannot_prepare_by_name) {
    static constexpr Query kTypo{"things.typo", "SELECT nme FROM things"};
    static constexpr const Query* kQueries[] = {&kFind, &kInsert, &kTypo};
    try {
        database->prepare_all(kQueries);
        FAIL() << "prepared";
    } catch (const DatabaseError& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("things.typo"));
    }
}

TEST_F(Engine, prepares_a_statement_whose_types_only_its_values_tell) {
    static constexpr Query kUntyped{"things.untyped", "SELECT name FROM things WHERE $1 IS NULL"};
    static constexpr const Query* kQueries[] = {&kUntyped, &kFind};
    EXPECT_NO_THROW(database->prepare_all(kQueries));
}

TEST_F(Engine, keeps_its_rows_over_a_restart) {
    insert({.thing_id = "1", .name = "kept"});
    database.reopen();
    EXPECT_EQ(find("1")->name, "kept");
    EXPECT_TRUE(database->is_healthy());
}

}  // namespace
}  // namespace synapsex::db
