#include "shared/crypto/trust_root.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::crypto {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class TrustRootTest : public ::testing::Test {
 protected:
    TrustRootTest() {
        for (int i = 0; i < 3; ++i) keys_.push_back(Ed25519Key::generate(random_));
        root_.created_at = *parse_rfc3339("2026-01-02T03:04:05Z");
        root_.threshold = 2;
        const char* names[] = {"ada", "Björn", "c@example.com"};
        for (int i = 0; i < 3; ++i) root_.keys.push_back({names[i], keys_[i].public_key()});
    }
    std::string document(std::vector<int> signers = {0, 2}) const {
        std::vector<const Signer*> list;
        for (const int i : signers) list.push_back(&keys_[i]);
        return write_trust_root(root_, list);
    }
    // Signed by all that were named, whatever it says.
    static std::string code_of(std::string_view document) {
        const auto read = read_trust_root(document);
        return read ? "read" : read.error().code;
    }
    static std::string detail_of(std::string_view document) {
        const auto read = read_trust_root(document);
        return read ? "read" : read.error().detail;
    }
    static std::string replaced(std::string text, std::string_view what, std::string_view by) {
        const auto place = text.find(what);
        if (place == text.npos) throw std::runtime_error("no " + std::string{what});
        return text.replace(place, what.size(), by);
    }
    // A document with other signed text, properly signed by the keys: what somebody with the keys
    // could make.
    std::string signed_anew(std::string text, const std::vector<int>& signers) const {
        std::string document = R"({"signed":)" + text + R"(,"signatures":[)";
        for (const int i : signers) {
            if (!document.ends_with('[')) document += ',';
            document += R"({"keyId":")" + keys_[i].key_id() + R"(","signature":")" +
                        to_base64url(keys_[i].sign(text)) + R"("})";
        }
        return document + "]}\n";
    }
    std::string signed_part() const {
        const auto text = document();
        const auto start = std::string_view{R"({"signed":)"}.size();
        return text.substr(start, text.find(R"(,"signatures")") - start);
    }

    synapsex::testing::SeededRandom random_;
    std::vector<Ed25519Key> keys_;
    TrustRoot root_;
};

TEST_F(TrustRootTest, comes_back_from_its_document) {
    for (const auto& signers : std::vector<std::vector<int>>{{0, 2}, {2, 1}, {0, 1, 2}}) {
        const auto read = read_trust_root(document(signers));
        ASSERT_TRUE(read) << read.error().detail;
        EXPECT_EQ(*read, root_);
        EXPECT_EQ(read->fingerprint(), root_.fingerprint()) << "whoever has signed it so far";
    }
}

TEST_F(TrustRootTest, its_fingerprint_is_the_hash_of_what_is_signed_as_it_stands_there) {
    EXPECT_THAT(signed_part(), StartsWith(
        R"({"type":"synapsex.trust-root","format":1,"version":1,)"
        R"("createdAt":"2026-01-02T03:04:05Z","threshold":2,"keys":[{"id":")"
    ));
    EXPECT_EQ(root_.fingerprint(), to_base64url(sha256(signed_part())));
    EXPECT_TRUE(is_trust_root_fingerprint(root_.fingerprint()));
    auto other = root_;
    other.threshold = 1;
    EXPECT_NE(other.fingerprint(), root_.fingerprint());
    for (const auto* wrong : {"", "none", "AAAA"}) EXPECT_FALSE(is_trust_root_fingerprint(wrong));
}

TEST_F(TrustRootTest, with_any_byte_changed_it_is_none) {
    const auto whole = document();
    for (std::size_t i = 0; i < whole.size(); ++i)
        for (const char flip : {'\1', ' '}) {
            auto changed = whole;
            changed[i] = static_cast<char>(changed[i] ^ flip);
            EXPECT_NE(code_of(changed), "read") << "byte " << i;
        }
}

TEST_F(TrustRootTest, cut_off_anywhere_or_with_more_behind_it_is_none) {
    const auto whole = document();
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_NE(code_of(whole.substr(0, size)), "read") << size;
    for (const auto* more : {"\n", " ", "x", "{}"})
        EXPECT_EQ(code_of(whole + more), kTrustRootInvalid) << more;
}

TEST_F(TrustRootTest, needs_the_signatures_of_its_threshold_each_of_another_key) {
    EXPECT_EQ(detail_of(document({1})), "it needs the signatures of 2 operators and has 1");
    EXPECT_EQ(detail_of(document({})), "nobody has signed it");
    EXPECT_EQ(detail_of(document({1, 1})), "it is signed with a key twice");
    for (const auto& signers : std::vector<std::vector<int>>{{1}, {}, {1, 1}})
        EXPECT_EQ(code_of(document(signers)), kTrustRootUnsigned);
    keys_[1] = Ed25519Key::generate(random_);
    EXPECT_EQ(detail_of(document({0, 2, 1})), "it is signed with a key that is none of its own");
}

TEST_F(TrustRootTest, one_wrong_signature_ends_it_even_beside_enough_right_ones) {
    const auto good = to_base64url(keys_[1].sign(signed_part()));
    const auto bad = to_base64url(keys_[1].sign("something else"));
    const auto changed = replaced(document({0, 1, 2}), good, bad);
    EXPECT_EQ(detail_of(changed), "its signature by Björn is wrong");
}

TEST_F(TrustRootTest, a_threshold_is_one_to_the_number_of_keys) {
    for (const std::size_t threshold : {0U, 4U, 99U}) {
        root_.threshold = threshold;
        EXPECT_EQ(code_of(document({0, 1, 2})), kTrustRootInvalid) << threshold;
        EXPECT_THAT(detail_of(document({0, 1, 2})), HasSubstr("has keys for 1 to 3"));
    }
    root_.threshold = 3;
    EXPECT_EQ(code_of(document({0, 1, 2})), "read");
    for (const auto* other : {"02", "-1", "2.0", "1e0", "1234567", "", "\"2\""}) {
        const auto text = replaced(
            signed_part(), R"("threshold":3)", R"("threshold":)" + std::string{other}
        );
        EXPECT_EQ(code_of(signed_anew(text, {0, 1, 2})), kTrustRootInvalid) << other;
    }
}

TEST_F(TrustRootTest, has_each_key_once_under_its_own_id) {
    root_.keys.push_back({"again", root_.keys[0].public_key});
    EXPECT_EQ(detail_of(document()), "it has a key twice") << "one operator would count as two";
    root_.keys.pop_back();
    const auto text = replaced(signed_part(), keys_[0].key_id(), keys_[1].key_id());
    EXPECT_EQ(detail_of(signed_anew(text, {1, 2})), "it has a key under the id of another");
}

TEST_F(TrustRootTest, has_limits) {
    while (root_.keys.size() < kTrustRootKeysMax)
        root_.keys.push_back({std::string(64, 'x'), Ed25519Key::generate(random_).public_key()});
    EXPECT_EQ(code_of(document()), "read");
    root_.keys.push_back({"one more", Ed25519Key::generate(random_).public_key()});
    EXPECT_EQ(detail_of(document()), "it has more than 16 keys");
    root_.keys.clear();
    EXPECT_EQ(code_of(document()), kTrustRootInvalid) << "without keys";
    EXPECT_EQ(
        detail_of(std::string(kTrustRootBytesMax + 1, ' ')), "it is larger than 16384 bytes"
    );
}

TEST_F(TrustRootTest, the_largest_that_the_limits_allow_fits) {
    keys_.clear();
    root_.keys.clear();
    std::vector<int> all;
    for (std::size_t i = 0; i < kTrustRootKeysMax; ++i) {
        keys_.push_back(Ed25519Key::generate(random_));
        std::string name;
        for (std::size_t c = 0; c < kOperatorNameMax; ++c) name += "\xf0\x9f\x94\x91";
        root_.keys.push_back({name, keys_.back().public_key()});
        all.push_back(static_cast<int>(i));
    }
    root_.threshold = kTrustRootKeysMax;
    EXPECT_EQ(code_of(document(all)), "read") << document(all).size();
}

TEST_F(TrustRootTest, an_operators_name_is_one_line_without_quotes) {
    for (const auto* name : {"a", "Ada L.", "ada@example.com", "Björn"})
        EXPECT_TRUE(is_operator_name(name)) << name;
    for (const auto* name : {"", " ", "a\"b", "a\\b", "a\nb", "a\x7f", "a\xff"}) {
        EXPECT_FALSE(is_operator_name(name)) << name;
        root_.keys[1].name = name;
        EXPECT_EQ(code_of(document()), kTrustRootInvalid) << name;
    }
    EXPECT_FALSE(is_operator_name(std::string(65, 'a')));
}

TEST_F(TrustRootTest, one_of_a_later_release_is_told_from_a_damaged_one) {
    for (const auto& [what, word] : {std::pair{R"("format":2)", "it is of format 2"},
                                     std::pair{R"("version":2)", "it is of version 2"}}) {
        auto now = std::string{what};
        now.back() = '1';
        const auto document = signed_anew(replaced(signed_part(), now, what), {0, 2});
        EXPECT_EQ(code_of(document), kTrustRootUnknown);
        EXPECT_THAT(detail_of(document), StartsWith(word));
    }
}

TEST_F(TrustRootTest, has_one_spelling) {
    const std::pair<const char*, const char*> other_spellings[] = {
        {R"("threshold":2)", R"("threshold": 2)"},
        {R"("threshold":2,)", R"("threshold":2,"note":"x",)"},
        {R"("threshold":2,)", R"("threshold":2,"threshold":2,)"},
        {R"("format":1,"version":1)", R"("version":1,"format":1)"},
        {R"("name":"ada")", R"("name":"\u0061da")"},
        {R"(,"name":"ada")", ""},
        {R"("type":"synapsex.trust-root")", R"("type":"synapsex.job")"},
        {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5Z"},
        {"2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00"},
        {"2026-01-02T03:04:05Z", "2026-02-30T03:04:05Z"},
        {R"("keys":[)", R"("keys":[,)"},
        {R"("}])", R"("},])"},
    };
    for (const auto& [ours, other] : other_spellings) {
        const auto text = replaced(signed_part(), ours, other);
        EXPECT_EQ(code_of(signed_anew(text, {0, 2})), kTrustRootInvalid) << other;
    }
    EXPECT_EQ(code_of(signed_anew(signed_part(), {0, 2})), "read") << "the test can do it";
    const auto padded = replaced(document(), "\"}]}\n", "=\"}]}\n");
    EXPECT_EQ(code_of(padded), kTrustRootInvalid);
}

}  // namespace
}  // namespace synapsex::crypto
