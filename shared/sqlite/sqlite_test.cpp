#include <gtest/gtest.h>

#include <sqlite3.h>

#include <string>

#include "shared/sqlite/connection.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::sqlite {
namespace {

class Sqlite : public ::testing::Test {
 protected:
    // Counts to ten million: far longer than any test may take, unless it is stopped.
    static constexpr std::string_view kEndless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000) "
        "SELECT count(*) FROM n";

    testing::TemporaryFolder folder;
    Connection memory{{.path = ":memory:"}};

    std::string file() const { return folder.path() / "x.db"; }

    std::int64_t count(std::string_view table) {
        auto statement = memory.prepare("SELECT count(*) FROM " + std::string{table});
        EXPECT_TRUE(statement.step());
        return statement.integer(0);
    }
    Failure failure_of(const std::string& script) {
        try {
            memory.execute(script);
        } catch (const Error& error) {
            return error.failure();
        }
        ADD_FAILURE() << "no failure: " << script;
        return Failure::other;
    }
};

TEST_F(Sqlite, parameters_are_bound_by_number_in_any_order_and_more_than_once) {
    auto statement = memory.prepare("SELECT $3, $1, $2, $1");
    statement.bind(1, std::int64_t{10});
    statement.bind(2, std::string_view{"two"});
    statement.bind(3, 3.5);
    ASSERT_TRUE(statement.step());
    EXPECT_EQ(statement.real(0), 3.5);
    EXPECT_EQ(statement.integer(1), 10);
    EXPECT_EQ(statement.text(2), "two");
    EXPECT_EQ(statement.integer(3), 10);
    EXPECT_FALSE(statement.step());
}

TEST_F(Sqlite, ten_parameters_are_not_mistaken_for_one) {
    auto statement = memory.prepare("SELECT $10, $2, $3, $4, $5, $6, $7, $8, $9, $1");
    for (int number = 1; number <= 10; ++number) statement.bind(number, std::int64_t{number});
    ASSERT_TRUE(statement.step());
    EXPECT_EQ(statement.integer(0), 10);
    EXPECT_EQ(statement.integer(9), 1);
}

TEST_F(Sqlite, parameters_with_gaps_or_other_names_are_refused) {
    EXPECT_THROW(memory.prepare("SELECT $1, $3"), Error);
    EXPECT_THROW(memory.prepare("SELECT $0"), Error);
    EXPECT_THROW(memory.prepare("SELECT $1, $01"), Error);
    EXPECT_THROW(memory.prepare("SELECT ?"), Error);
    EXPECT_THROW(memory.prepare("SELECT :name"), Error);
    EXPECT_THROW(memory.prepare("SELECT $1").bind(2, std::int64_t{1}), Error);
}

TEST_F(Sqlite, two_statements_or_none_are_refused_where_one_is_prepared) {
    EXPECT_THROW(memory.prepare("SELECT 1; SELECT 2"), Error);
    EXPECT_THROW(memory.prepare("  "), Error);
    EXPECT_NO_THROW(memory.prepare("SELECT 1 ;\n"));
}

TEST_F(Sqlite, columns_keep_their_type_with_nul_bytes_and_empty_values) {
    auto statement = memory.prepare("SELECT $1, $2, $3, $4, $5");
    const std::string_view bytes{"a\0b", 3};
    statement.bind(1, bytes);
    statement.bind_blob(2, bytes);
    statement.bind(3, std::string_view{});
    statement.bind_blob(4, std::string_view{});
    statement.bind_null(5);
    ASSERT_TRUE(statement.step());
    EXPECT_EQ(statement.text(0), bytes);
    EXPECT_EQ(statement.blob(1), bytes);
    EXPECT_EQ(statement.column_type(0), ColumnType::text);
    EXPECT_EQ(statement.column_type(1), ColumnType::blob);
    EXPECT_EQ(statement.column_type(2), ColumnType::text);
    EXPECT_EQ(statement.column_type(3), ColumnType::blob);
    EXPECT_EQ(statement.column_type(4), ColumnType::null);
}

TEST_F(Sqlite, failures_are_told_apart_by_code) {
    memory.execute("CREATE TABLE vms (name TEXT PRIMARY KEY, cpus INTEGER NOT NULL) STRICT");
    memory.execute("INSERT INTO vms VALUES ('web-1', 2)");
    EXPECT_EQ(failure_of("INSERT INTO vms VALUES ('web-1', 4)"), Failure::constraint);
    EXPECT_EQ(failure_of("INSERT INTO vms VALUES ('web-2', 'four')"), Failure::constraint);
    EXPECT_EQ(failure_of("INSERT INTO vmz VALUES (1)"), Failure::other);
    try {
        memory.execute("INSERT INTO vms VALUES ('web-1', 4)");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.extended_code(), SQLITE_CONSTRAINT_PRIMARYKEY);
    }
}

TEST_F(Sqlite, text_in_double_quotes_is_a_name_and_never_a_string) {
    EXPECT_EQ(failure_of("SELECT \"no_such_column\""), Failure::other);
}

TEST_F(Sqlite, foreign_keys_are_enforced) {
    memory.execute("CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT");
    memory.execute("CREATE TABLE b (a_id INTEGER REFERENCES a (id)) STRICT");
    EXPECT_EQ(failure_of("INSERT INTO b VALUES (7)"), Failure::constraint);
}

TEST_F(Sqlite, a_transaction_is_undone_unless_it_was_committed) {
    memory.execute("CREATE TABLE t (x INTEGER) STRICT");
    {
        const Transaction transaction{memory};
        memory.execute("INSERT INTO t VALUES (1)");
        EXPECT_TRUE(memory.is_in_transaction());
    }
    EXPECT_FALSE(memory.is_in_transaction());
    EXPECT_EQ(count("t"), 0);

    Transaction transaction{memory};
    memory.execute("INSERT INTO t VALUES (1), (2)");
    EXPECT_EQ(memory.changes(), 2);
    transaction.commit();
    EXPECT_EQ(count("t"), 2);
}

TEST_F(Sqlite, a_full_database_ends_the_whole_transaction_and_says_so) {
    memory.execute("CREATE TABLE t (x BLOB) STRICT");
    memory.pragma("max_page_count = 8");
    Transaction transaction{memory};
    memory.execute("INSERT INTO t VALUES (x'01')");
    EXPECT_EQ(failure_of("INSERT INTO t VALUES (zeroblob(100000))"), Failure::full);
    EXPECT_FALSE(memory.is_in_transaction());
    EXPECT_EQ(count("t"), 0);
}

TEST_F(Sqlite, the_progress_handler_interrupts_an_endless_statement) {
    int asked = 0;
    memory.on_progress(1000, [&] { return ++asked == 3; });
    EXPECT_EQ(failure_of(std::string{kEndless}), Failure::interrupted);
    EXPECT_EQ(asked, 3);
    memory.on_progress(0, {});
    EXPECT_NO_THROW(memory.execute("SELECT 1"));
    EXPECT_EQ(asked, 3);
}

TEST_F(Sqlite, an_interrupt_ends_the_running_statement) {
    memory.on_progress(1000, [&] {
        memory.interrupt();
        return false;
    });
    EXPECT_EQ(failure_of(std::string{kEndless}), Failure::interrupted);
}

TEST_F(Sqlite, a_query_only_connection_reads_and_never_writes) {
    Connection writer{{.path = file()}};
    writer.execute("CREATE TABLE t (x INTEGER) STRICT; INSERT INTO t VALUES (1)");
    Connection reader{{.path = file(), .access = Access::query_only}};
    auto statement = reader.prepare("SELECT x FROM t");
    EXPECT_TRUE(statement.step());
    EXPECT_THROW(reader.execute("INSERT INTO t VALUES (2)"), Error);
    EXPECT_TRUE(reader.prepare("SELECT x FROM t").is_read_only());
    EXPECT_FALSE(reader.prepare("DELETE FROM t").is_read_only());
}

TEST_F(Sqlite, a_lock_of_another_connection_is_busy) {
    Connection one{{.path = file()}};
    Connection two{{.path = file()}};
    const Transaction transaction{one};
    try {
        const Transaction second{two};
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.failure(), Failure::busy);
    }
}

TEST_F(Sqlite, what_cannot_be_opened_is_an_error_with_its_path) {
    try {
        const Connection missing{{.path = file(), .access = Access::read_write}};
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.extended_code() & 0xFF, SQLITE_CANTOPEN);
        EXPECT_NE(std::string{error.what()}.find("x.db"), std::string::npos);
    }
    EXPECT_THROW(Connection({.path = ":memory:", .vfs = "no-such-vfs"}), Error);
    EXPECT_NO_THROW(Connection({.path = ":memory:", .vfs = "unix"}));
}

}  // namespace
}  // namespace synapsex::sqlite
