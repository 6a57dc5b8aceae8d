#include "shared/crypto/file_key_store.hpp"

#include <gmock/gmock.h>

#include <barrier>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::crypto {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class FileKeyStoreTest : public ::testing::Test {
 protected:
    testing::SeededRandom random;
    testing::TemporaryFolder folder{testing::memory_folder()};
    FileKeyStore keys{folder.path(), random};

    std::filesystem::path file(const std::string& name) const { return folder.path() / name; }
    void put(const std::string& name, const std::string& content, mode_t mode = 0600) const {
        std::ofstream{file(name)} << content;
        ::chmod(file(name).c_str(), mode);
    }
    std::vector<std::string> names() const { return names(folder.path()); }
    static std::vector<std::string> names(const std::filesystem::path& directory) {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator{directory})
            all.push_back(entry.path().filename().string());
        return all;
    }
    // Of the key "access-tokens", as the operator reads it; "" if it is usable.
    std::string refusal() const {
        const auto found = keys.get("access-tokens");
        return found ? "" : found.error().code + " " + found.error().detail;
    }
    std::string root_refusal() const {
        const auto found = keys.get_root_key();
        return found ? "" : found.error().code + " " + found.error().detail;
    }
};

unsigned mode_of(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
}

TEST_F(FileKeyStoreTest, a_key_is_made_once_and_is_the_same_ever_after) {
    EXPECT_EQ(keys.get("access-tokens").error().code, kKeyMissing);
    const auto made = keys.get_or_make("access-tokens");
    ASSERT_TRUE(made);
    const auto found = FileKeyStore{folder.path(), random}.get_or_make("access-tokens");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->published, made->published);
    EXPECT_THAT(found->published, ElementsAre(public_key_of(*made->signer)));
    EXPECT_TRUE(verify_ed25519(made->published[0].bytes, "m", found->signer->sign("m")));
    EXPECT_EQ(found->find(made->signer->key_id()), found->published.data());
    EXPECT_EQ(found->find("another"), nullptr);
}

TEST_F(FileKeyStoreTest, files_are_their_owners_alone_and_nothing_is_left_beside_them) {
    const auto umask_before = ::umask(0);
    ASSERT_TRUE(keys.get_or_make("access-tokens"));
    ASSERT_TRUE(keys.get_or_make_root_key());
    ::umask(umask_before);
    EXPECT_EQ(mode_of(file("access-tokens.pem")), 0600U);
    EXPECT_EQ(mode_of(file("root.key")), 0600U);
    EXPECT_EQ(std::filesystem::file_size(file("root.key")), 32U);
    EXPECT_EQ(names().size(), 2U);
}

TEST_F(FileKeyStoreTest, what_a_killed_program_left_aside_is_no_key_and_goes_when_a_day_old) {
    const auto put_old = [&](const std::string& name, std::chrono::minutes age) {
        put(name, "-----BEGIN PRIV");
        std::filesystem::last_write_time(
            file(name), std::filesystem::last_write_time(file(name)) - age
        );
    };
    constexpr std::chrono::minutes kDay{24 * 60};
    put_old("access-tokens.pem.new-aB3dE6", kDay + std::chrono::minutes{1});
    put_old("access-tokens.pem.new-aB3dE7", kDay - std::chrono::minutes{1});
    put_old("access-tokens.pem.new-backups", 2 * kDay);
    put_old("access-tokens.pem.backup", 2 * kDay);
    put_old("other.pem.new-aB3dE6", 2 * kDay);
    EXPECT_TRUE(keys.list()->empty());
    ASSERT_TRUE(keys.get_or_make("access-tokens"));
    EXPECT_EQ(keys.list()->size(), 1U);
    EXPECT_THAT(
        names(), UnorderedElementsAre(
                     "access-tokens.pem", "access-tokens.pem.new-aB3dE7",
                     "access-tokens.pem.new-backups", "access-tokens.pem.backup",
                     "other.pem.new-aB3dE6"
                 )
    );
}

// Threads open and name files as processes do: what one writes aside is never another's.
TEST_F(FileKeyStoreTest, all_who_make_the_same_key_at_once_get_one_and_the_same) {
    constexpr int kRounds = 25;
    constexpr int kWriters = 8;
    for (int round = 0; round < kRounds; ++round) {
        const auto directory = file("round-" + std::to_string(round));
        std::filesystem::create_directory(directory);
        std::barrier start{kWriters};
        std::mutex mutex;
        std::multiset<std::string> outcomes;
        std::vector<std::jthread> writers;
        for (int writer = 0; writer < kWriters; ++writer)
            writers.emplace_back([&] {
                SystemRandom own;
                FileKeyStore store{directory, own};
                start.arrive_and_wait();
                const auto root = store.get_or_make_root_key();
                const auto tokens = store.get_or_make("access-tokens");
                const std::scoped_lock lock{mutex};
                outcomes.insert(root ? root->key_id() : root.error().detail);
                outcomes.insert(tokens ? tokens->signer->key_id() : tokens.error().detail);
            });
        writers.clear();
        const FileKeyStore store{directory, random};
        const auto root = store.get_root_key();
        const auto tokens = store.get("access-tokens");
        ASSERT_TRUE(root && tokens);
        EXPECT_EQ(outcomes.count(root->key_id()), kWriters) << *outcomes.begin();
        EXPECT_EQ(outcomes.count(tokens->signer->key_id()), kWriters) << *outcomes.rbegin();
        EXPECT_THAT(names(directory), UnorderedElementsAre("root.key", "access-tokens.pem"));
    }
}

TEST_F(FileKeyStoreTest, a_key_that_cannot_be_written_is_told_with_the_reason) {
    const auto made = make_key_file(file("none") / "root.key", "k");
    EXPECT_EQ(made.error().code, "crypto.key_unwritable");
    EXPECT_THAT(made.error().detail, HasSubstr("No such file or directory"));
}

TEST_F(FileKeyStoreTest, a_key_that_is_there_is_never_written_over) {
    ASSERT_TRUE(keys.get_or_make("access-tokens"));
    const auto before = keys.get("access-tokens")->published;
    const auto saved = Ed25519Key::generate(random).save_pem_file(file("access-tokens.pem"));
    EXPECT_EQ(saved.error().code, kKeyExists);
    EXPECT_EQ(keys.get("access-tokens")->published, before);
    put("root.key", "damaged");
    EXPECT_EQ(keys.get_or_make_root_key().error().code, "crypto.key_unreadable");
    EXPECT_EQ(std::filesystem::file_size(file("root.key")), 7U);
}

TEST_F(FileKeyStoreTest, what_others_may_touch_is_refused) {
    ASSERT_TRUE(keys.get_or_make("access-tokens"));
    for (const mode_t mode : {0644, 0640, 0604, 0620, 0602, 0610}) {
        ::chmod(file("access-tokens.pem").c_str(), mode);
        EXPECT_THAT(refusal(), HasSubstr("crypto.key_unreadable")) << mode;
        EXPECT_THAT(refusal(), HasSubstr("others than the owner may read it; chmod 600 it"));
    }
    ::chmod(file("access-tokens.pem").c_str(), 0400);
    EXPECT_EQ(refusal(), "");
    put("root.key", std::string(32, 'k'), 0644);
    EXPECT_THAT(root_refusal(), HasSubstr("chmod 600 it"));
}

TEST_F(FileKeyStoreTest, a_link_to_a_key_is_refused) {
    ASSERT_TRUE(keys.get_or_make("other"));
    std::filesystem::create_symlink(file("other.pem"), file("access-tokens.pem"));
    EXPECT_THAT(refusal(), HasSubstr("crypto.key_unreadable"));
    EXPECT_THAT(refusal(), HasSubstr("it is a symbolic link; put the file itself there"));
    std::filesystem::create_symlink("nowhere", file("root.key"));
    EXPECT_THAT(keys.get_or_make_root_key().error().detail, HasSubstr("symbolic link"));
}

TEST_F(FileKeyStoreTest, another_users_key_is_refused) {
    ASSERT_TRUE(keys.get_or_make("access-tokens"));
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(file("access-tokens.pem").c_str(), 65534, 0), 0);
        EXPECT_THAT(refusal(), HasSubstr("it belongs to user 65534; chown it to user 0"));
    } else {
        // Nobody may give files away, but there is one that is root's everywhere.
        EXPECT_THAT(read_key_file("/etc/passwd").error().detail, HasSubstr("belongs to user 0"));
    }
}

TEST_F(FileKeyStoreTest, what_is_no_file_is_refused_without_waiting_for_it) {
    ASSERT_EQ(::mkfifo(file("access-tokens.pem").c_str(), 0600), 0);
    EXPECT_THAT(refusal(), HasSubstr("it is no regular file"));
    std::filesystem::create_directory(file("root.key"));
    EXPECT_THAT(root_refusal(), HasSubstr("it is no regular file"));
}

TEST_F(FileKeyStoreTest, a_damaged_file_is_refused) {
    ASSERT_TRUE(keys.get_or_make("access-tokens"));
    const auto whole = std::filesystem::file_size(file("access-tokens.pem"));
    for (std::uintmax_t size = 0; size < whole - 1; size += 13) {
        std::filesystem::resize_file(file("access-tokens.pem"), whole - 2 - size);
        EXPECT_THAT(refusal(), HasSubstr("it holds no Ed25519 private key in PEM")) << size;
    }
    put("access-tokens.pem", std::string(5000, 'x'));
    EXPECT_THAT(refusal(), HasSubstr("it is too large to be a key"));
    for (const auto size : {0, 31, 33, 5000}) {
        put("root.key", std::string(static_cast<std::size_t>(size), 'k'));
        EXPECT_THAT(root_refusal(), HasSubstr("crypto.key_unreadable")) << size;
    }
}

TEST_F(FileKeyStoreTest, a_key_under_a_pass_phrase_is_refused_and_nobody_is_asked_for_it) {
    // openssl genpkey -algorithm ed25519 -aes256 -pass pass:x
    put("access-tokens.pem", R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgl6jzgAnwu/AICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEOgdPB/YHviCUkRqw0m6hxQEQLja
zUNYm3cACh73gjgTDMz2NxLm7ySxjjEYMTvREOEnDPBGdB5Zn47maq+Rr6cSWjk+
Aq7wfsKZyKHSze32Urs=
-----END ENCRYPTED PRIVATE KEY-----
)");
    EXPECT_THAT(refusal(), HasSubstr("it holds no Ed25519 private key in PEM"));
}

TEST_F(FileKeyStoreTest, lists_what_signs_by_name) {
    EXPECT_TRUE(keys.list()->empty());
    ASSERT_TRUE(keys.get_or_make("webhooks"));
    ASSERT_TRUE(keys.get_or_make("access-tokens"));
    ASSERT_TRUE(keys.get_or_make_root_key());
    put("Not A Name.pem", "x");
    put("access-tokens.pem.new-aB3dE6", "x");
    const auto list = keys.list();
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 2U);
    EXPECT_EQ(list->at(0).name, "access-tokens");
    EXPECT_EQ(list->at(1).name, "webhooks");
    EXPECT_EQ(list->at(1).published, keys.get("webhooks")->published);
    put("damaged.pem", "x");
    EXPECT_EQ(keys.list().error().code, "crypto.key_unreadable");
    EXPECT_EQ(
        (FileKeyStore{file("none"), random}.list().error().code), "crypto.key_unreadable"
    );
}

TEST_F(FileKeyStoreTest, names_have_an_alphabet_and_cannot_lead_out_of_the_directory) {
    for (const auto* good : {"a", "access-tokens", "key2"}) EXPECT_TRUE(is_key_name(good)) << good;
    EXPECT_TRUE(is_key_name(std::string(63, 'a')));
    for (const auto& bad :
         {std::string{}, std::string{"../a"}, std::string{"a/b"}, std::string{"a.b"},
          std::string{"A"}, std::string{"2a"}, std::string{"-a"}, std::string{"a b"},
          std::string{"a\0b", 3}, std::string(64, 'a')}) {
        EXPECT_FALSE(is_key_name(bad)) << bad;
        EXPECT_THROW((void)keys.get(bad), std::invalid_argument) << bad;
        EXPECT_THROW((void)keys.get_or_make(bad), std::invalid_argument) << bad;
    }
}

TEST_F(FileKeyStoreTest, the_root_key_is_made_once_and_shown_by_an_id_only) {
    EXPECT_EQ(keys.get_root_key().error().code, kKeyMissing);
    const auto made = keys.get_or_make_root_key();
    ASSERT_TRUE(made);
    EXPECT_EQ(keys.get_or_make_root_key()->key_id(), made->key_id());
    EXPECT_EQ(keys.get_root_key()->bytes(), made->bytes());
    EXPECT_EQ(made->key_id().size(), 12U);
    EXPECT_NE(made->key_id(), RootKey::generate(random).key_id());
}

TEST(RootKey, gives_each_label_the_key_that_hkdf_says) {
    // The id is the start of HKDF-SHA256 without salt; the figures are Python's, from hmac alone.
    const RootKey root{std::string(32, 'r')};
    EXPECT_EQ(
        to_hex(root.derive("synapsex.test").bytes()),
        "e131b22ede2757b2cdf1edf0ede3176927d48180087bb9206c6f97d08084298c"
    );
    EXPECT_EQ(root.key_id(), "CXFGGZBJtLLZ");
    EXPECT_NE(root.derive("synapsex.test").bytes(), root.derive("synapsex.tes").bytes());
    EXPECT_THROW(RootKey{std::string(31, 'r')}, std::runtime_error);
}

}  // namespace
}  // namespace synapsex::crypto
