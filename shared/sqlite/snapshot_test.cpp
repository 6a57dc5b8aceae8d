#include "shared/sqlite/snapshot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "shared/sqlite/connection.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::sqlite {
namespace {

using namespace std::chrono_literals;

class SnapshotTest : public ::testing::Test {
 protected:
    SnapshotTest() {
        Connection connection{{.path = file.string()}};
        connection.pragma("journal_mode = WAL");
        connection.execute(
            "CREATE TABLE debits (amount INTEGER NOT NULL, note TEXT NOT NULL) STRICT;"
            "CREATE TABLE credits (amount INTEGER NOT NULL) STRICT;"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)"
            "INSERT INTO debits SELECT i, printf('%0500d', i) FROM n;"
            "INSERT INTO credits SELECT amount FROM debits"
        );
    }
    static std::int64_t count(const std::filesystem::path& path, const std::string& table) {
        Connection connection{{.path = path.string(), .access = Access::query_only}};
        auto statement = connection.prepare("SELECT count(*) FROM " + table);
        statement.step();
        return statement.integer(0);
    }

    testing::TemporaryFolder folder;
    std::filesystem::path file = folder.path() / "source.db";
    std::filesystem::path copy = folder.path() / "copy.db";
};

TEST_F(SnapshotTest, is_of_one_instant_and_ends_however_much_is_written_meanwhile) {
    std::atomic<bool> is_over = false;
    std::atomic<int> written = 0;
    std::jthread writer{[&] {
        Connection connection{{.path = file.string(), .busy_timeout = 5s}};
        connection.pragma("synchronous = OFF");
        while (!is_over) {
            Transaction transaction{connection};
            connection.execute("INSERT INTO debits VALUES (1, 'x')");
            connection.execute("INSERT INTO credits VALUES (1)");
            transaction.commit();
            ++written;
        }
    }};
    while (written == 0) std::this_thread::yield();
    int steps = 0;
    int written_at_step = 0;
    const auto snapshot = copy_snapshot(file, copy, [&](std::int64_t done, std::int64_t all) {
        EXPECT_LE(done, all);
        ++steps;
        // The writer is not held up: it commits between two steps.
        written_at_step = written;
        while (written == written_at_step) std::this_thread::yield();
    });
    is_over = true;
    writer.join();
    EXPECT_GT(steps, 2);
    EXPECT_EQ(check_integrity(copy), "ok");
    const auto debits = count(copy, "debits");
    EXPECT_EQ(debits, count(copy, "credits"));
    EXPECT_GT(debits, 40'000);
    EXPECT_LT(debits, count(file, "debits"));
    EXPECT_EQ(
        static_cast<std::uintmax_t>(snapshot.pages * snapshot.page_bytes),
        std::filesystem::file_size(copy)
    );
}

TEST_F(SnapshotTest, of_a_database_that_is_not_there_is_an_error) {
    EXPECT_THROW(copy_snapshot(folder.path() / "none.db", copy, {}), Error);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "none.db"));
}

TEST_F(SnapshotTest, a_damaged_file_is_told_of) {
    copy_snapshot(file, copy, {});
    EXPECT_EQ(check_integrity(copy), "ok");
    {
        std::fstream damaged{copy, std::ios::in | std::ios::out | std::ios::binary};
        damaged.seekp(40 * 4096);
        damaged << std::string(20 * 4096, 'x');
    }
    EXPECT_NE(check_integrity(copy), "ok");
}

}  // namespace
}  // namespace synapsex::sqlite
