#include "agent/pause/pause.hpp"

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Timestamp kNoon = *parse_rfc3339("2026-03-01T12:00:00Z");

Pause two_hours() {
    return {.since = {kNoon, "boot-1", seconds{5000}}, .length = hours{2}, .reason = "disk swap"};
}

TEST(Pause, ends_after_its_length_whatever_the_clock_is_set_to_in_its_boot) {
    const auto pause = two_hours();
    const auto at = [](auto clock, auto passed) {
        return Moment{kNoon + clock, "boot-1", seconds{5000} + passed};
    };
    EXPECT_FALSE(pause.is_over(at(hours{1}, hours{1})));
    EXPECT_FALSE(pause.is_over(at(hours{24 * 400}, hours{1}))) << "a clock that jumped ahead";
    EXPECT_TRUE(pause.is_over(at(-hours{24 * 400}, hours{2}))) << "a clock that was set back";
}

TEST(Pause, goes_on_over_a_reboot_and_then_ends_by_the_clock) {
    const auto pause = two_hours();
    EXPECT_FALSE(pause.is_over({kNoon + hours{1}, "boot-2", minutes{1}}));
    EXPECT_TRUE(pause.is_over({kNoon + hours{2}, "boot-2", minutes{1}}));
}

TEST(Pause, goes_on_where_the_machine_boots_in_1970_and_in_a_container_of_an_old_kernel) {
    const auto pause = two_hours();
    EXPECT_FALSE(pause.is_over({Timestamp{}, "boot-2", hours{24}})) << "until the clock is set";
    EXPECT_FALSE(pause.is_over({kNoon + minutes{5}, "boot-2", hours{24 * 90}}));
    EXPECT_FALSE(pause.is_over({kNoon + hours{1}, "", hours{24 * 90}})) << "without a boot id";
}

TEST(Pause, without_a_length_never_ends_by_itself) {
    auto pause = two_hours();
    pause.length.reset();
    EXPECT_FALSE(pause.is_over({kNoon + hours{24 * 4000}, "boot-2", hours{24 * 4000}}));
}

TEST(Pause, is_read_as_it_was_written) {
    auto pause = two_hours();
    EXPECT_EQ(read_pause(write_pause(pause)), pause);
    EXPECT_EQ(read_pause(write_pause(pause))->since.boot_id, "boot-1");
    EXPECT_EQ(read_pause(write_pause(pause))->since.uptime, seconds{5000});
    pause.length.reset();
    pause.reason = "";
    EXPECT_EQ(read_pause(write_pause(pause)), pause);
}

TEST(Pause, cut_anywhere_is_not_read) {
    const auto text = write_pause(two_hours());
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(read_pause(text.substr(0, size))) << size;
}

TEST(Pause, with_a_reason_that_would_break_a_line_or_a_message_is_not_read) {
    const std::vector<std::string> reasons{"a\tb", "\xff", "\x1b[2J", std::string(201, 'x')};
    for (const auto& reason : reasons) {
        auto pause = two_hours();
        pause.reason = reason;
        EXPECT_FALSE(is_pause_reason(reason));
        EXPECT_FALSE(read_pause(write_pause(pause))) << reason;
    }
    EXPECT_TRUE(is_pause_reason("Wartung für Müller"));
}

class PauseFile : public ::testing::Test {
 protected:
    void write(const std::string& text) { std::ofstream{folder_.path() / kPauseFile} << text; }

    const synapsex::testing::TemporaryFolder folder_;
    const Moment moment_{kNoon + minutes{1}, "boot-1", seconds{5060}};
};

TEST_F(PauseFile, that_is_not_there_lets_work_start) {
    EXPECT_TRUE(may_work_start(folder_.path(), moment_));
}

TEST_F(PauseFile, stops_work_until_it_is_over) {
    write(write_pause(two_hours()));
    EXPECT_FALSE(may_work_start(folder_.path(), moment_));
    EXPECT_EQ(find_pause(folder_.path(), moment_).value(), two_hours());
    EXPECT_TRUE(may_work_start(folder_.path(), {kNoon, "boot-1", seconds{5000} + hours{2}}));
}

TEST_F(PauseFile, that_is_damaged_is_a_pause_that_says_so) {
    write("half a li");
    EXPECT_FALSE(may_work_start(folder_.path(), moment_));
    EXPECT_TRUE(find_pause(folder_.path(), moment_).value()->reason.ends_with("removes it"));
}

TEST_F(PauseFile, that_is_a_link_or_a_folder_is_not_read_and_stops_work) {
    std::filesystem::create_symlink("/dev/zero", folder_.path() / kPauseFile);
    EXPECT_FALSE(may_work_start(folder_.path(), moment_));
    EXPECT_FALSE(find_pause(folder_.path(), moment_));
    std::filesystem::remove(folder_.path() / kPauseFile);
    std::filesystem::create_directory(folder_.path() / kPauseFile);
    EXPECT_FALSE(may_work_start(folder_.path(), moment_));
}

TEST(ThisMoment, has_a_boot_and_an_uptime_that_goes_on) {
    const auto moment = this_moment(SystemClock{});
    EXPECT_EQ(moment.boot_id.size(), 36U);
    EXPECT_GT(moment.uptime.count(), 0);
    EXPECT_EQ(moment.boot_id, this_moment(SystemClock{}).boot_id);
}

}  // namespace
}  // namespace synapsex::agent
