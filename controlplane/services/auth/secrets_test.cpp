#include "controlplane/services/auth/secrets.hpp"

#include <gmock/gmock.h>

#include "tests/support/seeded_random.hpp"

namespace synapsex::auth {
namespace {

using ::testing::MatchesRegex;

TEST(ApiKeySecret, has_the_documented_form) {
    testing::SeededRandom random;
    const auto key = make_api_key(random);
    EXPECT_THAT(key, MatchesRegex("sk_sx_[0-9A-Za-z]{36}"));
    EXPECT_EQ(key.size(), 42U);
    EXPECT_TRUE(is_api_key(key));
    EXPECT_EQ(api_key_display_prefix(key), key.substr(0, 12));
}

TEST(ApiKeySecret, ends_with_the_crc_32_of_its_random_part) {
    // zlib.crc32(b"0" * 30) in Python is 2011552642.
    EXPECT_TRUE(is_api_key("sk_sx_" + std::string(30, '0') + "2C8GjS"));
}

TEST(ApiKeySecret, with_any_one_character_changed_is_none) {
    testing::SeededRandom random;
    const auto key = make_api_key(random);
    for (std::size_t at = 0; at < key.size(); ++at) {
        auto changed = key;
        changed[at] = changed[at] == 'x' ? 'y' : 'x';
        EXPECT_FALSE(is_api_key(changed)) << at;
    }
}

TEST(ApiKeySecret, is_none_in_any_other_length_or_alphabet) {
    testing::SeededRandom random;
    const auto key = make_api_key(random);
    EXPECT_FALSE(is_api_key(""));
    EXPECT_FALSE(is_api_key("sk_sx_"));
    EXPECT_FALSE(is_api_key(key + "0"));
    EXPECT_FALSE(is_api_key(key.substr(0, key.size() - 1)));
    EXPECT_FALSE(is_api_key(std::string(42, '\xff')));
}

TEST(RefreshTokenSecret, has_the_documented_form) {
    testing::SeededRandom random;
    const auto token = make_refresh_token(random);
    EXPECT_THAT(token, MatchesRegex("rt_sx_[0-9A-Za-z]{43}"));
    EXPECT_TRUE(is_refresh_token(token));
    EXPECT_NE(token, make_refresh_token(random));
    for (const auto& bad : {std::string{}, token + "0", "sk" + token.substr(2)})
        EXPECT_FALSE(is_refresh_token(bad)) << bad;
}

}  // namespace
}  // namespace synapsex::auth
