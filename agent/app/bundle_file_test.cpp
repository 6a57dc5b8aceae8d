#include "agent/app/bundle_file.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agent/app/child_output.hpp"
#include "agent/app/tar_archive.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

namespace fs = std::filesystem;

class BundleFileTest : public ::testing::Test {
 protected:
    std::string code_of(const fs::path& path) {
        const auto made = BundleFile::make(path);
        return made ? "made" : made.error().code;
    }

    const synapsex::testing::TemporaryFolder folder_;
    const fs::path path_ = folder_.path() / "bundle.tar.gz";
};

TEST_F(BundleFileTest, is_for_its_owner_alone_and_stays_once_it_is_whole) {
    ASSERT_TRUE(BundleFile::make(path_)->write("content"));
    struct stat facts {};
    ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600U);
    EXPECT_EQ(code_of(path_), "agent.output_refused") << "never over what is there";
    EXPECT_EQ(fs::file_size(path_), 7U);
}

TEST_F(BundleFileTest, that_is_not_whole_goes) {
    EXPECT_EQ(code_of(path_), "made");
    EXPECT_FALSE(fs::exists(path_));
}

TEST_F(BundleFileTest, is_never_made_through_a_link) {
    fs::create_symlink(folder_.path() / "elsewhere", path_);
    EXPECT_EQ(code_of(path_), "agent.output_refused");
    EXPECT_FALSE(fs::exists(folder_.path() / "elsewhere"));
    fs::create_directory(folder_.path() / "real");
    fs::create_directory_symlink("real", folder_.path() / "link");
    EXPECT_EQ(code_of(folder_.path() / "link" / "x"), "agent.output_refused");
    EXPECT_EQ(code_of(folder_.path() / "real" / ".." / "real" / "x"), "made");
}

TEST_F(BundleFileTest, is_not_made_where_others_could_replace_it) {
    const auto shared = folder_.path() / "shared";
    fs::create_directory(shared);
    fs::permissions(shared, fs::perms::all);
    EXPECT_EQ(code_of(shared / "x"), "agent.output_refused");
    fs::permissions(shared, fs::perms::all | fs::perms::sticky_bit);
    EXPECT_EQ(code_of(shared / "x"), "made");
}

TEST_F(BundleFileTest, needs_a_name_and_a_folder) {
    for (const auto* name : {"", ".", "/", "..", "no/such/folder/x"})
        EXPECT_NE(code_of(name), "made") << name;
}

TEST(TarArchive, is_what_tar_reads) {
    const synapsex::testing::TemporaryFolder folder;
    TarArchive archive{"top", *parse_rfc3339("2026-03-01T12:00:00Z")};
    archive.add("a.txt", "first\n");
    archive.add("empty", "");
    archive.add("block", std::string(512, 'x'));
    EXPECT_THROW(archive.add(std::string(100, 'n'), ""), std::length_error);
    const auto path = folder.path() / "a.tar";
    std::ofstream{path, std::ios::binary} << archive.finish();
    const auto list = output_of({"/bin/tar", "-tvf", path}, {}, SystemClock{});
    ASSERT_TRUE(list);
    EXPECT_NE(list->find("-rw------- 0/0               6 "), list->npos) << *list;
    EXPECT_NE(list->find("top/block"), list->npos) << *list;
    EXPECT_EQ(output_of({"/bin/tar", "-xOf", path, "top/a.txt"}, {}, SystemClock{}), "first\n");
}

TEST(ChildOutput, is_bounded_in_time_and_size) {
    const SystemClock clock;
    EXPECT_FALSE(output_of({"/no/such/program"}, {}, clock));
    EXPECT_EQ(output_of({"/bin/echo", "a", "$HOME"}, {}, clock), "a $HOME\n");
    const auto endless =
        output_of({"/bin/sh", "-c", "while echo x; do :; done"}, {.bytes_max = 1000}, clock);
    EXPECT_TRUE(endless->ends_with("[cut: it is too long]\n"));
    const auto slow = output_of(
        {"/bin/sleep", "600"}, {.time = std::chrono::milliseconds{100}}, clock
    );
    EXPECT_TRUE(slow->ends_with("[cut: it took too long]\n"));
}

}  // namespace
}  // namespace synapsex::agent
