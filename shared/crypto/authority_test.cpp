#include "shared/crypto/authority.hpp"

#include <gtest/gtest.h>

#include "shared/crypto/key_file.hpp"
#include "shared/crypto/public_key_pin.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::crypto {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

class AuthorityTest : public ::testing::Test {
 protected:
    const Timestamp now = from_micros(1'700'000'000'000'000);
    const std::vector<std::string> names{"cp.example.com", "192.0.2.1", "2001:db8::1"};
    testing::TemporaryFolder folder;
    const std::filesystem::path path = folder.path() / "authority.key";

    static std::string code_of(const Result<Authority>& loaded) {
        return loaded ? "loaded" : loaded.error().code;
    }
    static std::size_t count(std::string_view text, std::string_view part) {
        std::size_t found = 0;
        for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
        return found;
    }
};

TEST_F(AuthorityTest, comes_back_from_its_file_as_it_was) {
    const auto authority = Authority::make(now);
    ASSERT_TRUE(authority.save(path));
    const auto loaded = Authority::load(path);
    ASSERT_TRUE(loaded) << loaded.error().detail;
    EXPECT_EQ(loaded->pin(), authority.pin());
    EXPECT_TRUE(is_public_key_pin(loaded->pin()));
    EXPECT_EQ(loaded->certificate(), authority.certificate());
    EXPECT_EQ(loaded->former_pin(), std::nullopt);
    EXPECT_EQ(loaded->not_after(), now + kAuthorityLifetime);
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms{0600});
}

TEST_F(AuthorityTest, is_never_saved_over_another_and_replaces_one_when_told_to) {
    const auto first = Authority::make(now);
    const auto second = Authority::make(now);
    ASSERT_TRUE(first.save(path));
    EXPECT_EQ(second.save(path).error().code, kKeyExists);
    EXPECT_EQ(Authority::load(path)->pin(), first.pin());
    ASSERT_TRUE(second.replace(path));
    EXPECT_EQ(Authority::load(path)->pin(), second.pin());
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms{0600});
    // One that was killed in the middle of it left this.
    ASSERT_TRUE(make_key_file(path.string() + ".next", "half"));
    EXPECT_TRUE(first.replace(path));
    EXPECT_EQ(Authority::load(path)->pin(), first.pin());
}

TEST_F(AuthorityTest, a_file_that_holds_no_authority_is_told_from_one_that_is_not_there) {
    EXPECT_EQ(code_of(Authority::load(path)), kKeyMissing);
    const auto one = Authority::make(now);
    const auto other = Authority::make(now);
    ASSERT_TRUE(one.save(path));
    auto pem = read_key_file(path).value();
    const auto write = [&](std::string_view content) {
        ASSERT_TRUE(replace_key_file(path, content));
    };
    write("");
    EXPECT_EQ(code_of(Authority::load(path)), "crypto.key_unreadable");
    write(pem.substr(0, pem.size() / 2));
    EXPECT_EQ(code_of(Authority::load(path)), "crypto.key_unreadable");
    write(pem.substr(0, pem.find("-----BEGIN CERT")) + other.certificate());
    EXPECT_EQ(code_of(Authority::load(path)), "crypto.key_unreadable") << "another's certificate";
}

TEST_F(AuthorityTest, knows_when_a_server_needs_another_certificate) {
    const auto authority = Authority::make(now);
    const auto pem = authority.issue(names, now);
    EXPECT_EQ(count(pem, "BEGIN CERTIFICATE"), 2U);
    EXPECT_EQ(count(pem, "BEGIN PRIVATE KEY"), 1U);
    EXPECT_TRUE(authority.is_current(pem, names, now));
    EXPECT_TRUE(authority.is_current(pem, names, now + days{59}));
    EXPECT_FALSE(authority.is_current(pem, names, now + days{61})) << "a third of its time is left";
    EXPECT_FALSE(authority.is_current(pem, names, now - days{2})) << "the clock was set back";
    EXPECT_FALSE(authority.is_current(pem, {"cp.example.com"}, now));
    EXPECT_FALSE(authority.is_current(pem, {"cp.example.com", "192.0.2.1", "2001:db8::2"}, now));
    EXPECT_FALSE(Authority::make(now).is_current(pem, names, now));
    EXPECT_FALSE(authority.is_current("", names, now));
    EXPECT_FALSE(authority.is_current(pem.substr(0, pem.find("-----BEGIN PRIVATE")), names, now));
}

TEST_F(AuthorityTest, issues_nothing_that_outlives_it_and_does_not_try_so_again_and_again) {
    const auto authority = Authority::make(now);
    const auto late = authority.not_after() - days{20};
    const auto pem = authority.issue(names, late);
    EXPECT_TRUE(authority.is_current(pem, names, late + days{1}));
    EXPECT_TRUE(authority.is_current(pem, names, late + days{19}));
    const auto next = authority.make_successor(late);
    EXPECT_FALSE(next.is_current(pem, names, late + days{1})) << "another follows, which lasts";
}

TEST_F(AuthorityTest, is_followed_by_another_that_it_vouches_for) {
    const auto first = Authority::make(now);
    const auto second = first.make_successor(now + days{100});
    EXPECT_NE(second.pin(), first.pin());
    EXPECT_EQ(second.former_pin(), first.pin());
    ASSERT_TRUE(second.save(path));
    const auto loaded = Authority::load(path);
    ASSERT_TRUE(loaded) << loaded.error().detail;
    EXPECT_EQ(loaded->former_pin(), first.pin());
    const auto pem = loaded->issue(names, now + days{100});
    EXPECT_EQ(count(pem, "BEGIN CERTIFICATE"), 4U);
    EXPECT_TRUE(loaded->is_current(pem, names, now + days{100}));
    EXPECT_FALSE(loaded->is_current(first.issue(names, now + days{100}), names, now + days{100}));
    const auto alone = loaded->without_former();
    EXPECT_EQ(alone.pin(), second.pin());
    EXPECT_EQ(alone.former_pin(), std::nullopt);
    EXPECT_FALSE(alone.is_current(pem, names, now + days{100})) << "it shows the former one";
}

TEST(PublicKeyPin, is_43_characters_of_base64url) {
    EXPECT_TRUE(is_public_key_pin(std::string(42, 'a') + 'A'));
    for (const auto& wrong : {std::string{}, std::string(42, 'a'), std::string(44, 'a'),
                              std::string(42, 'a') + '=', std::string(42, 'a') + '.'})
        EXPECT_FALSE(is_public_key_pin(wrong)) << wrong;
}

}  // namespace
}  // namespace synapsex::crypto
