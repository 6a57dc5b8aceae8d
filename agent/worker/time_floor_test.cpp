#include "agent/worker/time_floor.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using namespace std::chrono_literals;

class TimeFloorTest : public ::testing::Test {
 protected:
    synapsex::testing::TemporaryFolder directory_;
    std::filesystem::path path_ = directory_.path() / "time.floor";
    Timestamp now_ = *parse_rfc3339("2026-11-28T00:00:00Z");
};

TEST_F(TimeFloorTest, is_the_clock_itself_before_anything_is_known) {
    const TimeFloor floor{path_};
    EXPECT_EQ(floor.at_least(now_), now_);
    EXPECT_EQ(floor.at_least(Timestamp{}), Timestamp{});
}

TEST_F(TimeFloorTest, a_clock_that_falls_back_brings_nothing_back_over_restarts_too) {
    TimeFloor floor{path_};
    floor.raise(now_);
    EXPECT_EQ(floor.at_least(now_ - 10 * 365 * 24h), now_);
    EXPECT_EQ(floor.at_least(now_ + 1s), now_ + 1s);
    EXPECT_EQ(TimeFloor{path_}.at_least(Timestamp{}), now_);
}

TEST_F(TimeFloorTest, never_falls_and_costs_one_write_an_hour) {
    TimeFloor floor{path_};
    floor.raise(now_);
    floor.raise(now_ - 24h);
    floor.raise(now_ + 59min);
    EXPECT_EQ(TimeFloor{path_}.at_least(Timestamp{}), now_);
    floor.raise(now_ + 60min);
    EXPECT_EQ(TimeFloor{path_}.at_least(Timestamp{}), now_ + 60min);
}

TEST_F(TimeFloorTest, a_damaged_file_is_no_floor_and_is_mended) {
    for (const auto* text : {"", "yesterday\n", "2026-11-28T00:00:00Z and more than there should be"
                                                " in the file, by far\n"}) {
        std::ofstream{path_} << text;
        TimeFloor floor{path_};
        EXPECT_EQ(floor.at_least(Timestamp{}), Timestamp{}) << text;
        floor.raise(now_);
        EXPECT_EQ(TimeFloor{path_}.at_least(Timestamp{}), now_);
    }
}

}  // namespace
}  // namespace synapsex::agent
