#include "shared/crypto/time_proof.hpp"

#include <gtest/gtest.h>

#include "shared/crypto/authority.hpp"

namespace synapsex::crypto {
namespace {

class TimeProofTest : public ::testing::Test {
 protected:
    const Timestamp now = from_micros(1'700'000'000'000'001);
    const Authority authority = Authority::make(now);
    const Authority other = Authority::make(now);
    const std::vector<std::string> pins{authority.pin()};
    const std::string nonce = std::string(42, 'n') + 'A';
    const TimeProof proof = authority.prove_time(nonce, now);
};

TEST_F(TimeProofTest, is_of_the_authority_that_is_pinned_for_who_asked) {
    EXPECT_TRUE(is_proven(proof, nonce, pins));
    EXPECT_EQ(proof.time, now);
    EXPECT_TRUE(is_proven(proof, nonce, std::vector{other.pin(), authority.pin()}));
}

TEST_F(TimeProofTest, is_worth_nothing_to_who_asked_another_time) {
    EXPECT_FALSE(is_proven(proof, std::string(42, 'm') + 'A', pins));
    EXPECT_FALSE(is_proven(proof, "", pins));
}

TEST_F(TimeProofTest, of_another_authority_it_proves_nothing) {
    const auto of_other = other.prove_time(nonce, now);
    EXPECT_FALSE(is_proven(of_other, nonce, pins));
    EXPECT_FALSE(is_proven(of_other, nonce, {}));
    auto mixed = of_other;
    mixed.public_key = proof.public_key;
    EXPECT_FALSE(is_proven(mixed, nonce, pins)) << "the pinned key did not sign it";
}

TEST_F(TimeProofTest, holds_the_time_that_was_signed_and_no_other) {
    auto later = proof;
    later.time += std::chrono::microseconds{1};
    EXPECT_FALSE(is_proven(later, nonce, pins));
}

TEST_F(TimeProofTest, what_is_no_signature_or_no_key_proves_nothing) {
    for (const std::string& text : {std::string{}, std::string{"x"}, std::string(500, '\x30')}) {
        auto broken = proof;
        broken.signature = text;
        EXPECT_FALSE(is_proven(broken, nonce, pins));
        broken = proof;
        broken.public_key = text;
        EXPECT_FALSE(is_proven(broken, nonce, pins));
    }
    auto longer = proof;
    longer.signature += '\0';
    EXPECT_FALSE(is_proven(longer, nonce, pins));
}

TEST_F(TimeProofTest, knows_a_nonce_from_other_texts) {
    EXPECT_TRUE(is_time_nonce(nonce));
    EXPECT_FALSE(is_time_nonce(""));
    EXPECT_FALSE(is_time_nonce(std::string(42, 'n')));
    EXPECT_FALSE(is_time_nonce(std::string(43, 'n'))) << "spare bits: a second text for a value";
    EXPECT_FALSE(is_time_nonce(std::string(42, 'n') + '\n'));
}

}  // namespace
}  // namespace synapsex::crypto
