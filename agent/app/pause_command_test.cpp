#include "agent/app/pause_command.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agent/pause/pause.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(PauseLength, is_a_whole_number_and_a_unit_within_limits) {
    EXPECT_EQ(parse_pause_length("45s"), seconds{45});
    EXPECT_EQ(parse_pause_length("2h"), hours{2});
    EXPECT_EQ(parse_pause_length("366d"), kPauseMax);
    for (const auto* text : {"", "h", "2", "0s", "-1h", "1.5h", "2 h", "2hh", "367d", "1w",
                             "99999999999999999999s", "9223372036854775807d"})
        EXPECT_FALSE(parse_pause_length(text)) << text;
}

class PauseCommand : public ::testing::Test {
 protected:
    PauseCommand() { config_.data_dir = folder_.path(); }
    int pause(const std::string& length = "", const std::string& reason = "") {
        CommandLine line;
        line.pause_for = length;
        line.pause_reason = reason;
        return pause_command(config_, line, clock_);
    }
    std::optional<Pause> found() {
        return find_pause(folder_.path(), this_moment(clock_)).value();
    }

    const synapsex::testing::TemporaryFolder folder_;
    SystemClock clock_;
    AgentConfig config_;
};

TEST_F(PauseCommand, pauses_with_a_reason_and_is_repeated_and_ended_at_will) {
    EXPECT_EQ(pause("2h", "disk swap"), 0);
    EXPECT_EQ(found()->length, hours{2});
    EXPECT_EQ(found()->reason, "disk swap");
    struct stat facts {};
    ASSERT_EQ(::stat((folder_.path() / kPauseFile).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600U);
    EXPECT_EQ(pause(), 0) << "now without an end";
    EXPECT_EQ(found()->length, std::nullopt);
    EXPECT_EQ(resume_command(config_, {}, clock_), 0);
    EXPECT_FALSE(found());
    EXPECT_EQ(resume_command(config_, {}, clock_), 0) << "there is nothing to end";
}

TEST_F(PauseCommand, changes_nothing_where_it_is_told_nonsense) {
    EXPECT_EQ(pause("soon"), 1);
    EXPECT_EQ(pause("", "two\nlines"), 1);
    EXPECT_EQ(pause("", std::string(201, 'x')), 1);
    EXPECT_FALSE(found());
}

TEST_F(PauseCommand, removes_what_a_worker_put_there_and_follows_no_link) {
    const auto target = folder_.path() / "target";
    std::filesystem::create_symlink(target, folder_.path() / kPauseFile);
    EXPECT_EQ(pause(), 0) << "the link is replaced";
    EXPECT_FALSE(std::filesystem::exists(target));
    EXPECT_TRUE(found());
    EXPECT_EQ(resume_command(config_, {}, clock_), 0);
    std::filesystem::create_symlink(target, folder_.path() / (std::string{kPauseFile} + ".new"));
    EXPECT_EQ(pause(), 1) << "somebody is in the way";
    EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_F(PauseCommand, says_so_where_no_agent_is) {
    config_.data_dir = folder_.path() / "nowhere";
    EXPECT_EQ(pause(), 1);
    EXPECT_EQ(resume_command(config_, {}, clock_), 1);
    EXPECT_FALSE(std::filesystem::exists(config_.data_dir));
}

}  // namespace
}  // namespace synapsex::agent
