// Session::append, on whichever engine: test_database.hpp says how.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_clock.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::db {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Migration kMigrations[] = {{1, "0001_create_told", R"sql(
    CREATE TABLE told (
        tenant_id ${id} NOT NULL,
        row_id ${counter},
        lines ${int} NOT NULL,
        text TEXT NOT NULL CHECK (tenant_id <> 'ten_refused')
    ) ${strict};
    CREATE TABLE counters (counter ${int} NOT NULL PRIMARY KEY, value ${int} NOT NULL) ${strict};
    INSERT INTO counters (counter, value) VALUES (1, 0);
)sql"}};
constexpr Query kTell{
    "told.insert", "INSERT INTO told (tenant_id, lines, text) VALUES ($1, $2, $3)"};
constexpr Query kList{"told.list", "SELECT tenant_id, lines, text FROM told ORDER BY row_id"};
constexpr Query kReadCounter{"counters.read", "SELECT value FROM counters WHERE counter = 1"};
constexpr Query kWriteCounter{"counters.write", "UPDATE counters SET value = $1 WHERE counter = 1"};

struct Told {
    std::string tenant_id;
    std::int64_t lines = 0;
    std::string text;
    friend bool operator==(const Told&, const Told&) = default;
};
BOOST_DESCRIBE_STRUCT(Told, (), (tenant_id, lines, text))

class Append : public ::testing::Test {
 protected:
    SystemClock clock;
    testing::TestDatabase database{clock, {{"told-service", kMigrations}}};

    static void tell(Session& session, std::string line, std::string tenant = "ten_a") {
        session.append(kTell, std::move(tenant), std::move(line));
    }
    std::vector<Told> told() {
        return database.in_read([](Session& session) { return session.list<Told>(kList); });
    }
    template <class Fn>
    Result<Done> write(Fn fn) {
        static constexpr SystemScope kScope{"test"};
        const auto call = Call::system("test", Deadline::never());
        return database->write(kScope, call, [&](Session& session) -> Result<Done> {
            return fn(session);
        });
    }
};

TEST_F(Append, is_one_row_for_each_tenant_of_a_transaction_in_the_order_of_its_lines) {
    database.in_write([](Session& session) {
        tell(session, "one");
        tell(session, "other", "ten_b");
        tell(session, "two");
        EXPECT_THAT(session.list<Told>(kList), IsEmpty()) << "it comes last";
    });
    database.in_write([](Session& session) { tell(session, "three"); });
    EXPECT_THAT(told(), ElementsAre(Told{"ten_a", 2, "one\ntwo\n"}, Told{"ten_b", 1, "other\n"},
                                    Told{"ten_a", 1, "three\n"}));
}

TEST_F(Append, stays_in_order_where_a_line_needs_a_row_of_its_own) {
    const std::string half(kAppendedBytesMax / 2, 'h');
    const std::string more(kAppendedBytesMax, 'm');
    database.in_write([&](Session& session) {
        for (const auto& line : {half, more, std::string{"small"}}) tell(session, line);
    });
    std::vector<char> first_letters;
    for (const auto& row : told()) first_letters.push_back(row.text[0]);
    EXPECT_THAT(first_letters, ElementsAre('h', 'm', 's'));
}

TEST_F(Append, goes_with_what_is_undone) {
    EXPECT_FALSE(write([](Session& session) -> Result<Done> {
        tell(session, "refused");
        return Problem{Kind::conflict, "test.refused", "no"};
    }));
    EXPECT_THROW((void)write([](Session& session) -> Result<Done> {
        tell(session, "thrown");
        throw std::runtime_error("thrown");
    }), std::runtime_error);
    database.in_write([](Session& session) { tell(session, "kept"); });
    EXPECT_THAT(told(), ElementsAre(Told{"ten_a", 1, "kept\n"}));
}

TEST_F(Append, undoes_its_transaction_where_it_cannot_be_written) {
    EXPECT_THROW((void)write([](Session& session) -> Result<Done> {
        session.execute(kWriteCounter, 7);
        tell(session, "x", "ten_refused");
        return Done{};
    }), DatabaseError);
    const auto counter = database.in_read([](Session& session) {
        return session.query(kReadCounter)[0].get<std::int64_t>("value");
    });
    EXPECT_EQ(counter, 0);
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(Append, is_refused_in_a_read_and_with_an_end_or_broken_text_in_a_line) {
    EXPECT_THROW(database.in_read([](Session& session) { tell(session, "x"); }), DatabaseError);
    for (const char* const line : {"two\nlines", "\xff"})
        EXPECT_THROW(database.in_write([&](Session& session) { tell(session, line); }),
                     DatabaseError);
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(Append, a_closure_that_runs_again_has_told_once) {
    constexpr int kThreads = 8;
    constexpr int kEach = 20;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i)
            threads.emplace_back([&] {
                for (int j = 0; j < kEach; ++j)
                    database.in_write([](Session& session) {
                        const auto value =
                            session.query(kReadCounter)[0].get<std::int64_t>("value") + 1;
                        session.execute(kWriteCounter, value);
                        tell(session, std::to_string(value));
                    });
            });
    }
    std::vector<int> values;
    std::int64_t lines = 0;
    for (const auto& row : told()) {
        lines += row.lines;
        std::istringstream text{row.text};
        for (int value = 0; text >> value;) values.push_back(value);
    }
    EXPECT_EQ(lines, kThreads * kEach);
    std::vector<int> expected;
    for (int value = 1; value <= kThreads * kEach; ++value) expected.push_back(value);
    EXPECT_EQ(values, expected) << "in the order of their commits";
}

}  // namespace
}  // namespace synapsex::db
