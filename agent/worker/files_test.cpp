#include "agent/worker/files.hpp"

#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "shared/base/descriptor.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

class FilesTest : public ::testing::Test {
 protected:
    synapsex::testing::TemporaryFolder directory_;
    std::filesystem::path path_ = directory_.path() / "file";
};

TEST_F(FilesTest, writes_for_the_owner_alone_and_reads_back) {
    ASSERT_TRUE(write_file_atomically(path_, "one", FileDurability::synced));
    ASSERT_TRUE(write_file_atomically(path_, "two", FileDurability::synced));
    EXPECT_EQ(**find_small_file(path_, 100), "two");
    struct stat facts {};
    ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST_F(FilesTest, tells_a_missing_file_from_one_that_is_too_large) {
    EXPECT_FALSE(*find_small_file(path_, 100));
    std::ofstream{path_} << std::string(101, 'x');
    EXPECT_FALSE(find_small_file(path_, 100));
    EXPECT_TRUE(find_small_file(path_, 101));
}

TEST_F(FilesTest, erases_a_token_and_does_not_follow_a_link_to_do_so) {
    std::ofstream{path_} << "keep";
    const auto link = directory_.path() / "link";
    std::filesystem::create_symlink(path_, link);
    EXPECT_FALSE(erase_file(link));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(**find_small_file(path_, 100), "keep");
    EXPECT_TRUE(erase_file(path_));
    EXPECT_FALSE(std::filesystem::exists(path_));
    EXPECT_TRUE(erase_file(path_)) << "nothing left to erase is success";
}

TEST_F(FilesTest, erases_nothing_that_is_no_file) {
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    const auto to_a_device = directory_.path() / "stdin";
    std::filesystem::create_symlink("/dev/null", to_a_device);
    for (const auto& path : {path_, to_a_device, directory_.path()}) {
        EXPECT_FALSE(erase_file(path)) << path;
        EXPECT_TRUE(std::filesystem::exists(path)) << path;
    }
}

TEST_F(FilesTest, lets_one_process_have_the_lock) {
    EXPECT_FALSE(*is_file_locked(path_));
    {
        const auto lock = FileLock::take(path_);
        ASSERT_TRUE(lock);
        EXPECT_TRUE(*is_file_locked(path_));
        const auto second = FileLock::take(path_);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, "agent.already_running");
    }
    EXPECT_FALSE(*is_file_locked(path_));
    EXPECT_TRUE(FileLock::take(path_));
    const auto link = directory_.path() / "link";
    std::filesystem::create_symlink(path_, link);
    EXPECT_FALSE(is_file_locked(link)) << "what cannot be looked at is no answer";
}

TEST(WriteFile, neither_waits_for_a_pipe_in_its_place_nor_writes_into_one) {
    const synapsex::testing::TemporaryFolder folder;
    const auto path = folder.path() / "file";
    const auto aside = folder.path() / "file.new";
    ASSERT_EQ(::mkfifo(aside.c_str(), 0600), 0);
    EXPECT_FALSE(write_file_atomically(path, "x", FileDurability::cached)) << "nobody reads";
    const Descriptor reader{::open(aside.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    EXPECT_FALSE(write_file_atomically(path, "x", FileDurability::cached)) << "somebody reads";
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(OwnFile, is_a_regular_file_and_nothing_that_leads_elsewhere_or_hangs) {
    const synapsex::testing::TemporaryFolder folder;
    const auto path = folder.path() / "file";
    EXPECT_FALSE(*find_own_file(path, 10)) << "there is none";
    ASSERT_TRUE(write_file_atomically(path, "0123456789", FileDurability::cached));
    EXPECT_EQ(*find_own_file(path, 10), "0123456789");
    EXPECT_FALSE(find_own_file(path, 9)) << "too large";
    std::filesystem::create_symlink(path, folder.path() / "link");
    EXPECT_FALSE(find_own_file(folder.path() / "link", 10));
    ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
    EXPECT_FALSE(find_own_file(folder.path() / "pipe", 10));
    EXPECT_FALSE(find_own_file(folder.path(), 10));
}

}  // namespace
}  // namespace synapsex::agent
