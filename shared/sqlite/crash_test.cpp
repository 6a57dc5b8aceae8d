// The disk that the crash tests stand on: it keeps what was synced, and loses what was not.

#include <gtest/gtest.h>

#include <set>

#include "shared/sqlite/connection.hpp"
#include "tests/support/crash_vfs.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::sqlite {
namespace {

using testing::CrashVfs;
using testing::Fault;
using testing::Loss;

class CrashDisk : public ::testing::Test {
 protected:
    CrashDisk() {
        connection.execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE notes (id INTEGER PRIMARY KEY) STRICT"
        );
    }
    void insert(int id) {
        connection.execute("INSERT INTO notes (id) VALUES (" + std::to_string(id) + ")");
    }
    Failure failure_of_insert(int id) {
        try {
            insert(id);
        } catch (const Error& error) {
            return error.failure();
        }
        ADD_FAILURE() << "nothing failed";
        return Failure::other;
    }
    static std::int64_t count(Connection& where) {
        auto select = where.prepare("SELECT count(*) FROM notes");
        select.step();
        return select.integer(0);
    }
    // How many notes a power cut leaves.
    std::int64_t count_remains(Loss loss, std::uint64_t seed = 1) {
        testing::SeededRandom random{seed};
        const testing::TemporaryFolder remains{testing::memory_folder()};
        disk.leave_remains(remains.path(), loss, random);
        Connection found{{.path = (remains.path() / "x.db").string()}};
        EXPECT_EQ(found.pragma("integrity_check"), "ok");
        return count(found);
    }

    testing::TemporaryFolder folder{testing::memory_folder()};
    CrashVfs disk;
    Connection connection{{.path = (folder.path() / "x.db").string(), .vfs = disk.name()}};
};

TEST_F(CrashDisk, keeps_what_was_synced) {
    insert(1);
    for (const auto loss : {Loss::all, Loss::some, Loss::torn}) EXPECT_EQ(count_remains(loss), 1);
}

TEST_F(CrashDisk, loses_what_was_not_synced_wholly_in_part_or_not_at_all) {
    insert(1);
    connection.execute("PRAGMA synchronous = NORMAL");  // the log is not synced any more
    for (int id = 2; id <= 4; ++id) insert(id);
    EXPECT_EQ(count_remains(Loss::all), 1);
    std::set<std::int64_t> torn;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) torn.insert(count_remains(Loss::torn, seed));
    EXPECT_EQ(torn, (std::set<std::int64_t>{1, 2, 3, 4}));
}

TEST_F(CrashDisk, nothing_works_after_a_power_cut) {
    disk.plan(disk.operations() + 2, Fault::power_cut);
    EXPECT_EQ(failure_of_insert(1), Failure::io);
    EXPECT_TRUE(disk.has_lost_power());
    EXPECT_EQ(failure_of_insert(2), Failure::io);
    EXPECT_EQ(count_remains(Loss::all), 0);
}

TEST_F(CrashDisk, an_error_and_a_full_disk_hit_one_operation) {
    disk.plan(disk.operations() + 1, Fault::full_disk);
    EXPECT_EQ(failure_of_insert(1), Failure::full);
    disk.plan(disk.operations() + 1, Fault::io_error);
    EXPECT_EQ(failure_of_insert(1), Failure::io);
    insert(1);
    EXPECT_EQ(count(connection), 1);
}

}  // namespace
}  // namespace synapsex::sqlite
