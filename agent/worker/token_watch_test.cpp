#include "agent/worker/token_watch.hpp"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "agent/worker/files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using Found = TokenWatch::Found;

const std::string kToken = "sxe_01jgjz2m1xq3v5n8b7w6t4r2e0.SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS";
const std::string kOther = "sxe_01jgjz2m1xq3v5n8b7w6t4r2e0.TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT";

class TokenWatchTest : public ::testing::Test {
 protected:
    static void put(const std::filesystem::path& path, const std::string& text) {
        ASSERT_TRUE(write_file_atomically(path, text, FileDurability::cached));
    }

    synapsex::testing::TemporaryFolder folder_;
    const std::filesystem::path token_file_ = folder_.path() / "token";
    const std::filesystem::path offered_ = folder_.path() / "offered";
};

TEST_F(TokenWatchTest, finds_a_whole_token_and_nothing_else) {
    const TokenWatch watch{token_file_, {}};
    EXPECT_EQ(watch.look(), Found::nothing);
    for (const std::string text : {"", " \n", "sxe_01jgjz2m1xq3v5n8b7w6t4r2e0.SSS", "hello"}) {
        put(token_file_, text);
        EXPECT_EQ(watch.look(), Found::nothing) << text;
    }
    put(token_file_, kToken + "\n");
    EXPECT_EQ(watch.look(), Found::token);
    EXPECT_EQ((TokenWatch{{}, {}}.look()), Found::nothing);
}

TEST_F(TokenWatchTest, finds_one_that_was_refused_not_again_but_another) {
    TokenWatch watch{token_file_, {}};
    put(token_file_, kToken);
    watch.refuse();
    EXPECT_EQ(watch.look(), Found::nothing);
    put(token_file_, kToken + "\n");
    EXPECT_EQ(watch.look(), Found::nothing) << "the same";
    put(token_file_, kOther);
    EXPECT_EQ(watch.look(), Found::token);
}

TEST_F(TokenWatchTest, finds_what_was_put_where_it_is_handed_over_from) {
    const TokenWatch watch{token_file_, offered_};
    EXPECT_EQ(watch.look(), Found::nothing);
    put(offered_, "");
    EXPECT_EQ(watch.look(), Found::nothing) << "nothing is in it";
    put(offered_, kToken);
    ::chmod(offered_.c_str(), 0);
    EXPECT_EQ(watch.look(), Found::at_next_start) << "what may not be read can be seen";
    const TokenWatch after_a_start{token_file_, offered_};
    EXPECT_EQ(after_a_start.look(), Found::nothing) << "it was not taken: no start after another";
    put(offered_, kOther);
    EXPECT_EQ(after_a_start.look(), Found::at_next_start);
}

}  // namespace
}  // namespace synapsex::agent
