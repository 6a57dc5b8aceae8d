#include "controlplane/platform/disk/disk_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "controlplane/platform/db/sqlite/sqlite.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex {
namespace {

using db::Room;
using ::testing::HasSubstr;

constexpr std::uint64_t kMebi = 1024 * 1024;

// A disk of 1,000 MiB, as full as a test says. What the reserve takes is gone from it.
class FakeDisk final : public DiskSpace {
 public:
    explicit FakeDisk(std::filesystem::path file) : reserve_(file.string() + ".reserve") {}

    std::optional<Space> measure(const std::filesystem::path&) override {
        if (is_silent) return std::nullopt;
        std::error_code missing;
        const auto taken = std::filesystem::file_size(reserve_, missing);
        return Space{1'000 * kMebi, free_mebi * kMebi - (missing ? 0 : taken)};
    }

    std::uint64_t free_mebi = 500;  // with the reserve
    bool is_silent = false;

 private:
    const std::filesystem::path reserve_;
};

class DiskWatchTest : public ::testing::Test {
 protected:
    static constexpr std::uint64_t kReserveMebi = 10;  // 1 %

    Room room_with(std::uint64_t free_mebi_beside_reserve) {
        disk.free_mebi = free_mebi_beside_reserve + kReserveMebi;
        EXPECT_TRUE(watch.look());
        return database->room();
    }
    bool is_reserve_held() const { return std::filesystem::exists(file.string() + ".reserve"); }

    testing::FakeClock clock;
    testing::TemporaryFolder folder{testing::memory_folder()};
    std::filesystem::path file = folder.path() / "x.db";
    Metrics metrics;
    std::unique_ptr<db::Database> database = db::open_sqlite({.path = file}, clock, metrics);
    FakeDisk disk{file};
    DiskWatch watch{{disk, *database, metrics, file, "main"}};
};

TEST_F(DiskWatchTest, a_level_begins_below_its_limit_and_ends_well_above_it) {
    EXPECT_EQ(database->room(), Room::plenty);
    EXPECT_EQ(room_with(50), Room::plenty);
    EXPECT_EQ(room_with(49), Room::low);
    EXPECT_EQ(room_with(69), Room::low);
    EXPECT_EQ(room_with(70), Room::plenty);
    EXPECT_EQ(room_with(20), Room::low);
    EXPECT_EQ(room_with(19), Room::critical);
    EXPECT_EQ(room_with(29), Room::critical);
    EXPECT_EQ(room_with(30), Room::low);
    EXPECT_EQ(room_with(0), Room::critical);
    EXPECT_EQ(room_with(500), Room::plenty);
}

TEST_F(DiskWatchTest, the_reserve_is_let_go_when_it_is_critical_and_held_again_afterwards) {
    EXPECT_EQ(room_with(500), Room::plenty);
    EXPECT_EQ(std::filesystem::file_size(file.string() + ".reserve"), kReserveMebi * kMebi);
    EXPECT_EQ(room_with(40), Room::low);
    EXPECT_TRUE(is_reserve_held());
    // What is let go is not taken for new room, however often one looks.
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(room_with(19), Room::critical);
        EXPECT_FALSE(is_reserve_held());
    }
    EXPECT_EQ(room_with(30), Room::low);
    EXPECT_TRUE(is_reserve_held());
}

TEST_F(DiskWatchTest, a_reserve_that_an_earlier_process_left_is_taken_over) {
    room_with(500);
    DiskWatch next{{disk, *database, metrics, file, "main"}};
    EXPECT_TRUE(next.look());
    EXPECT_TRUE(is_reserve_held());
    EXPECT_EQ(room_with(10), Room::critical);
    EXPECT_FALSE(is_reserve_held());
}

TEST_F(DiskWatchTest, a_reserve_that_is_short_or_gone_is_made_whole_at_the_next_look) {
    const std::filesystem::path reserve = file.string() + ".reserve";
    std::ofstream{reserve};  // as a process leaves it that was killed there
    for (const std::uint64_t mebi : {0, 4}) {
        std::filesystem::resize_file(reserve, mebi * kMebi);
        EXPECT_EQ(room_with(49), Room::low) << "what is missing of it counts as taken";
        EXPECT_EQ(std::filesystem::file_size(reserve), kReserveMebi * kMebi);
    }
    std::filesystem::remove(reserve);
    EXPECT_EQ(room_with(50), Room::low);
    ASSERT_TRUE(is_reserve_held());
    EXPECT_EQ(std::filesystem::file_size(reserve), kReserveMebi * kMebi);
}

TEST_F(DiskWatchTest, free_bytes_and_level_are_metrics) {
    room_with(40);
    EXPECT_THAT(metrics.render(), HasSubstr("synapsex_disk_level{database=\"main\"} 1"));
    EXPECT_THAT(
        metrics.render(), HasSubstr("synapsex_disk_free_bytes{database=\"main\"} 41943040")
    );
}

TEST_F(DiskWatchTest, a_system_that_does_not_tell_leaves_the_level_as_it_was) {
    room_with(40);
    disk.is_silent = true;
    EXPECT_EQ(watch.look().error().code, "disk.unmeasured");
    EXPECT_EQ(database->room(), Room::low);
}

TEST_F(DiskWatchTest, the_system_tells_of_a_folder_and_of_none_that_is_not_there) {
    SystemDiskSpace system;
    const auto space = system.measure(folder.path());
    ASSERT_TRUE(space);
    EXPECT_GT(space->total_bytes, 0U);
    EXPECT_LE(space->free_bytes, space->total_bytes);
    EXPECT_FALSE(system.measure(folder.path() / "none"));
}

TEST(RoomOf, a_large_disk_is_low_at_5_gib_and_not_at_5_percent) {
    constexpr std::uint64_t kGibi = 1024 * kMebi;
    const DiskLimits limits;
    EXPECT_EQ(room_of({2'000 * kGibi, 6 * kGibi}, Room::plenty, limits), Room::plenty);
    EXPECT_EQ(room_of({2'000 * kGibi, 4 * kGibi}, Room::plenty, limits), Room::low);
    EXPECT_EQ(room_of({2'000 * kGibi, 1 * kGibi}, Room::plenty, limits), Room::critical);
    EXPECT_EQ(room_of({50 * kGibi, 2 * kGibi}, Room::plenty, limits), Room::low);
}

}  // namespace
}  // namespace synapsex
