#include "controlplane/cli/credentials.hpp"

#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace synapsex::cli {
namespace {

class CredentialsFileTest : public ::testing::Test {
 protected:
    ~CredentialsFileTest() override { std::filesystem::remove_all(folder); }

    static mode_t mode_of(const std::filesystem::path& path) {
        struct stat facts {};
        ::stat(path.c_str(), &facts);
        return facts.st_mode & 0777;
    }
    void write(const std::string& content, mode_t mode) {
        std::filesystem::create_directories(file.path().parent_path());
        std::ofstream{file.path()} << content;
        ::chmod(file.path().c_str(), mode);
    }

    static std::filesystem::path make_folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "cli-XXXXXX").string();
        return ::mkdtemp(pattern.data());
    }

    const std::filesystem::path folder = make_folder();
    const CredentialsFile file{folder / "new" / "folder" / "credentials.json"};
    const Credentials ada{"https://x.example", "ada@example.com", "access", "refresh", "ten_1", ""};
};

TEST_F(CredentialsFileTest, gives_back_what_was_saved) {
    ASSERT_TRUE(file.save(ada));
    const auto loaded = file.load().value();
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->url, ada.url);
    EXPECT_EQ(loaded->email, ada.email);
    EXPECT_EQ(loaded->access_token, ada.access_token);
    EXPECT_EQ(loaded->refresh_token, ada.refresh_token);
    EXPECT_EQ(loaded->tenant_id, ada.tenant_id);
}

TEST_F(CredentialsFileTest, is_for_its_owner_alone) {
    ASSERT_TRUE(file.save(ada));
    EXPECT_EQ(mode_of(file.path()), 0600u);
    EXPECT_EQ(mode_of(file.path().parent_path()), 0700u);
}

TEST_F(CredentialsFileTest, saving_again_leaves_no_other_file_and_mends_the_mode) {
    write("{}", 0644);
    ASSERT_TRUE(file.save(ada));
    EXPECT_EQ(mode_of(file.path()), 0600u);
    const auto files = std::filesystem::directory_iterator{file.path().parent_path()};
    EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(CredentialsFileTest, is_nothing_before_anybody_signed_in) {
    EXPECT_FALSE(file.load().value());
    EXPECT_FALSE(file.remove().value());
}

TEST_F(CredentialsFileTest, is_refused_when_others_may_read_it) {
    for (const mode_t mode : {0644u, 0640u, 0604u, 0660u, 0602u}) {
        write(R"({"url":"https://x.example"})", mode);
        const auto loaded = file.load();
        ASSERT_FALSE(loaded) << std::oct << mode;
        EXPECT_EQ(loaded.error().code, "cli.file_exposed");
    }
}

TEST_F(CredentialsFileTest, is_refused_when_another_user_owns_it_whatever_its_mode) {
    write(R"({"url":"https://x.example"})", 0600);
    if (::chown(file.path().c_str(), 65534, 65534) != 0)
        GTEST_SKIP() << "only the superuser can give a file away";
    const auto problem = file.load().error();
    EXPECT_EQ(problem.code, "cli.file_exposed");
    EXPECT_THAT(problem.detail, ::testing::HasSubstr("belongs to another user"));
    EXPECT_THAT(problem.detail, ::testing::Not(::testing::HasSubstr("chmod")));
}

TEST_F(CredentialsFileTest, is_refused_when_it_is_something_else) {
    for (const auto* content :
         {"", "{", "[]", "{}", R"({"url":7})", R"({"url":"u","email":null})"}) {
        write(content, 0600);
        const auto loaded = file.load();
        ASSERT_FALSE(loaded) << content;
        EXPECT_EQ(loaded.error().code, "cli.credentials_invalid");
    }
}

TEST_F(CredentialsFileTest, says_so_when_it_cannot_be_written) {
    const CredentialsFile impossible{"/proc/none/credentials.json"};
    EXPECT_EQ(impossible.save(ada).error().code, "cli.file_unwritable");
}

TEST_F(CredentialsFileTest, leaves_what_is_no_ordinary_file_as_it_is) {
    const auto pipe = folder / "pipe";
    const auto link = folder / "link";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    std::filesystem::create_symlink(pipe, link);
    for (const auto& path : {pipe, link, folder}) {
        const CredentialsFile other{path};
        EXPECT_EQ(other.save(ada).error().code, "cli.file_not_ordinary") << path;
        EXPECT_EQ(other.remove().error().code, "cli.file_not_ordinary") << path;
    }
    EXPECT_TRUE(std::filesystem::is_fifo(pipe));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(CredentialsFile{folder}.load().error().code, "cli.file_unreadable") << "a folder";
}

TEST_F(CredentialsFileTest, replaces_no_file_behind_the_back_of_who_holds_it_open) {
    const auto held = folder / "held";
    const int descriptor = ::open(held.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(descriptor, 0);
    const auto name = "/dev/fd/" + std::to_string(descriptor);
    const auto link = folder / "link";
    std::filesystem::create_symlink(name, link);
    EXPECT_EQ(CredentialsFile{name}.save(ada).error().code, "cli.file_not_ordinary");
    EXPECT_EQ(CredentialsFile{link}.save(ada).error().code, "cli.file_not_ordinary");
    EXPECT_TRUE(std::filesystem::is_empty(held));
    ::close(descriptor);
}

TEST_F(CredentialsFileTest, is_written_where_a_link_to_it_leads) {
    ASSERT_TRUE(file.save({"https://old.example", "ada@example.com"}));
    const auto link = folder / "link";
    std::filesystem::create_symlink(file.path(), link);
    ASSERT_TRUE(CredentialsFile{link}.save(ada));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(file.load().value()->url, ada.url);
}

TEST_F(CredentialsFileTest, is_locked_by_one_at_a_time) {
    std::atomic<int> inside = 0;
    std::atomic<bool> was_alone = true;
    const auto work = [&] {
        for (int i = 0; i < 50; ++i) {
            const auto lock = file.lock();
            if (++inside != 1) was_alone = false;
            --inside;
        }
    };
    std::thread other{work};
    work();
    other.join();
    EXPECT_TRUE(was_alone);
}

}  // namespace
}  // namespace synapsex::cli
