// A disk that is really full: a small tmpfs in a mount namespace of the test's own.

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "controlplane/platform/db/migrate.hpp"
#include "controlplane/platform/db/sqlite/sqlite.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::db {
namespace {

constexpr std::array kMigrations{Migration{
    1,
    "0001_create_notes",
    "CREATE TABLE notes (id ${int} PRIMARY KEY, body ${bytes} NOT NULL) ${strict};"}};
constexpr Query kInsert{"notes.insert", "INSERT INTO notes (id, body) VALUES ($1, $2)"};
constexpr Query kListIds{"notes.list_ids", "SELECT id FROM notes ORDER BY id"};

class FullDisk : public ::testing::Test {
 protected:
    static constexpr const char* kSize = "size=2m";

    testing::FakeClock clock;
    testing::TemporaryFolder folder;
    std::filesystem::path disk = folder.path() / "disk";
    Metrics metrics;
    std::vector<std::int64_t> acknowledged;

    void SetUp() override {
        std::filesystem::create_directory(disk);
        // Threads that start later inherit the namespace; nothing outside of it sees the mount.
        const bool is_mounted = ::unshare(CLONE_NEWNS) == 0 &&
                                ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                                ::mount("tmpfs", disk.c_str(), "tmpfs", 0, kSize) == 0;
        if (!is_mounted)
            GTEST_SKIP() << "needs the right to mount a tmpfs (root): " << std::strerror(errno);
    }
    void TearDown() override { ::umount2(disk.c_str(), MNT_DETACH); }

    std::unique_ptr<Database> open() {
        auto database = open_sqlite({.path = disk / "x.db"}, clock, metrics);
        const std::array services{ServiceMigrations{"note-service", kMigrations}};
        migrate(*database, services, clock);
        return database;
    }
    // False once the disk is full.
    bool insert(Database& database, std::int64_t id, std::size_t size) {
        const Blob body{std::string(size, 'x')};
        try {
            const auto answer = database.write(
                Call::system("test", Deadline::never()),
                [&](Session& s) -> Result<Done> {
                    s.execute(kInsert, id, body);
                    return Done{};
                }
            );
            EXPECT_TRUE(answer);
            acknowledged.push_back(id);
            return true;
        } catch (const DatabaseError&) {
            return false;
        }
    }
    static std::vector<std::int64_t> ids(Database& database) {
        const auto rows =
            database.read(Call::system("test", Deadline::never()), [](Session& s) -> Result<Rows> {
                return s.query(kListIds);
            });
        std::vector<std::int64_t> found;
        for (std::size_t i = 0; i < rows->size(); ++i)
            found.push_back((*rows)[i].get<std::int64_t>("id"));
        return found;
    }
};

TEST_F(FullDisk, loses_no_answered_write_and_recovers_when_there_is_room_again) {
    auto database = open();
    const auto filler = disk / "filler";
    std::ofstream{filler} << std::string(900'000, 'x');
    std::int64_t id = 0;
    while (insert(*database, id, 20'000)) ++id;
    ASSERT_GT(id, 3);
    EXPECT_FALSE(insert(*database, id, 20'000));
    EXPECT_EQ(ids(*database), acknowledged);

    std::filesystem::remove(filler);
    EXPECT_TRUE(insert(*database, 1'000, 100));
    EXPECT_EQ(ids(*database), acknowledged);

    database.reset();
    database = open();
    EXPECT_EQ(ids(*database), acknowledged);
}

}  // namespace
}  // namespace synapsex::db
