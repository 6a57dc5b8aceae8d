#include "agent/app/status_command.hpp"

#include <gtest/gtest.h>

#include "agent/worker/files.hpp"
#include "agent/worker/worker.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

TEST(VisibleText, shows_what_a_terminal_would_obey) {
    EXPECT_EQ(visible_text("auth.unknown_key 42%"), "auth.unknown_key 42%");
    EXPECT_EQ(visible_text("a\x1b[2Jb\r\n\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x7f");
    EXPECT_EQ(visible_text("\xc2\x9b"), "\\xc2\\x9b") << "a control sequence in one character";
}

TEST(StatusCommand, says_1_where_it_cannot_tell_and_3_where_nothing_runs) {
    const synapsex::testing::TemporaryFolder folder;
    AgentConfig config;
    config.data_dir = config.run_dir = folder.path();
    EXPECT_EQ(status_command(config, StatusFormat::text), 3);
    const auto lock = folder.path() / kLockFile;
    { EXPECT_TRUE(FileLock::take(lock)); }
    EXPECT_EQ(status_command(config, StatusFormat::text), 3) << "a lock that nobody holds";
    {
        const auto held = FileLock::take(lock);
        EXPECT_EQ(status_command(config, StatusFormat::text), 0);
    }
    std::filesystem::remove(lock);
    std::filesystem::create_symlink(lock, lock);  // nobody can open it, not even root
    EXPECT_EQ(status_command(config, StatusFormat::text), 1);
}

}  // namespace
}  // namespace synapsex::agent
