#include "agent/executor/run_lock.hpp"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::executor {
namespace {

TEST(RunLock, is_held_by_one_and_free_again_when_that_one_ends) {
    const synapsex::testing::TemporaryFolder directory;
    const auto path = directory.path() / "supervisor.lock";
    {
        const auto first = RunLock::take(path, "supervisor");
        ASSERT_TRUE(first) << first.error().detail;
        const auto second = RunLock::take(path, "supervisor");
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, "executor.already_running");
        EXPECT_EQ(second.error().detail, "Another supervisor already uses the run directory " +
                                             directory.path().string() + ".");
    }
    EXPECT_TRUE(RunLock::take(path, "supervisor"));
}

TEST(RunLock, follows_no_link) {
    const synapsex::testing::TemporaryFolder directory;
    const auto path = directory.path() / "executor.lock";
    std::filesystem::create_symlink(directory.path() / "elsewhere", path);
    const auto lock = RunLock::take(path, "executor");
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, "executor.lock_failed");
    EXPECT_FALSE(std::filesystem::exists(directory.path() / "elsewhere"));
}

}  // namespace
}  // namespace synapsex::executor
