#include "controlplane/app/data_dir.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <fstream>
#include <iterator>
#include <thread>

#include "controlplane/app/databases.hpp"
#include "shared/crypto/file_key_store.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::app {
namespace {

TEST(DataDir, nothing_starts_where_a_restore_is_unfinished) {
    const testing::TemporaryFolder folder;
    SystemRandom random;
    make_data_dir(folder.path());
    crypto::FileKeyStore keys{key_directory(folder.path()), random};
    save_issuer(folder.path(), load_or_make_identity(folder.path(), "https://x", keys).issuer);
    mark_restore(folder.path(), {"before-1", {"/a b.db", "postgresql://c"}, {"/a b.db"}});
    mark_restore(folder.path(), {"before-2", {}, {}});
    const auto mark = find_restore_mark(folder.path());
    ASSERT_TRUE(mark);
    EXPECT_EQ(mark->aside, "before-1");
    EXPECT_EQ(mark->databases, (std::vector<std::string>{"/a b.db", "postgresql://c"}));
    EXPECT_EQ(mark->former, std::vector<std::string>{"/a b.db"});
    EXPECT_TRUE(is_restore_unfinished(folder.path()));
    EXPECT_THROW(load_identity(folder.path(), keys), StartRefused);
    EXPECT_THROW(load_or_make_identity(folder.path(), "https://x", keys), StartRefused);
    EXPECT_THROW(refuse_unfinished_restore(folder.path()), StartRefused);
    std::ofstream{folder.path() / "restore.unfinished.new-aB3xYz"};
    unmark_restore(folder.path());
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "restore.unfinished.new-aB3xYz"));
    EXPECT_FALSE(find_restore_mark(folder.path()));
    EXPECT_FALSE(is_restore_unfinished(folder.path()));
    EXPECT_EQ(load_identity(folder.path(), keys).issuer, "https://x");
}

TEST(DataDir, inits_at_once_leave_one_whole_issuer_and_nothing_beside_it) {
    constexpr int kRounds = 25;
    constexpr int kInits = 8;
    const testing::TemporaryFolder folder{testing::memory_folder()};
    for (int round = 0; round < kRounds; ++round) {
        const auto data_dir = folder.path() / std::to_string(round);
        make_data_dir(data_dir);
        std::barrier start{kInits};
        std::vector<std::jthread> inits;
        for (int init = 0; init < kInits; ++init)
            inits.emplace_back([&, init] {
                start.arrive_and_wait();
                EXPECT_NO_THROW(
                    save_issuer(data_dir, std::string(1000, static_cast<char>('a' + init)))
                );
            });
        inits.clear();
        std::ifstream file{data_dir / "issuer"};
        const std::string issuer{std::istreambuf_iterator<char>{file}, {}};
        ASSERT_EQ(issuer.size(), 1001U);
        EXPECT_EQ(issuer, std::string(1000, issuer.front()) + '\n');
        for (const auto& entry : std::filesystem::directory_iterator{data_dir})
            EXPECT_TRUE(entry.path().filename() == "issuer" || entry.is_directory())
                << entry.path();
    }
}

TEST(DataDir, an_issuer_that_is_there_stays_and_one_that_cannot_be_written_is_refused) {
    const testing::TemporaryFolder folder{testing::memory_folder()};
    save_issuer(folder.path(), "https://a.example");
    save_issuer(folder.path(), "https://b.example");
    std::string line;
    std::getline(std::ifstream{folder.path() / "issuer"}, line);
    EXPECT_EQ(line, "https://a.example");
    EXPECT_THROW(save_issuer(folder.path() / "none", "https://a.example"), StartRefused);
}

}  // namespace
}  // namespace synapsex::app
