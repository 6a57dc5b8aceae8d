#include "shared/crypto/enrollment_token.hpp"

#include <gtest/gtest.h>

namespace synapsex::crypto {
namespace {

const std::string kUlid = "01jgjz2m1xq3v5n8b7w6t4r2e0";
const std::string kSecret(32, 'S');
const std::string kPin = std::string(42, 'p') + 'A';
const std::string kRoot = std::string(42, '_') + 'E';

TEST(EnrollmentToken, comes_back_from_its_text) {
    for (const auto& pin : {std::string{}, kPin})
        for (const auto& root : {std::string{}, kRoot}) {
            const EnrollmentTokenText token{kUlid, kSecret, pin, root};
            EXPECT_EQ(parse_enrollment_token(token.text()), token) << token.text();
            EXPECT_EQ(token.claim(), "sxe_" + kUlid + "." + kSecret);
        }
    EXPECT_EQ((EnrollmentTokenText{kUlid, kSecret}.text()), "sxe_" + kUlid + "." + kSecret);
    EXPECT_EQ((EnrollmentTokenText{kUlid, kSecret, {}, kRoot}.text()),
              "sxe_" + kUlid + "." + kSecret + ".." + kRoot);
}

TEST(EnrollmentToken, one_that_was_cut_off_anywhere_is_none_or_has_no_half_of_a_pin) {
    const auto text = EnrollmentTokenText{kUlid, kSecret, kPin, kRoot}.text();
    for (std::size_t size = 0; size < text.size(); ++size) {
        const auto cut = parse_enrollment_token(text.substr(0, size));
        if (!cut) continue;
        // Whole parts are a token of their own.
        EXPECT_TRUE(cut->trust_root.empty()) << size;
        EXPECT_TRUE(cut->authority_pin.empty() || cut->authority_pin == kPin) << size;
        EXPECT_EQ(cut->text(), text.substr(0, size));
    }
}

TEST(EnrollmentToken, anything_else_is_none) {
    const auto text = EnrollmentTokenText{kUlid, kSecret, kPin, kRoot}.text();
    for (const auto& wrong :
         {std::string{}, std::string{"sxe_"}, "sxk_" + text.substr(4), text + ".", text + ".x",
          text + "=", " " + text, "sxe_" + kUlid + "." + kSecret + ".",
          "sxe_" + kUlid + "." + kSecret + "..", "sxe_" + kUlid + "." + std::string(31, 's') + "/",
          "sxe_" + kUlid + "." + kSecret + "." + std::string(43, '/')})
        EXPECT_EQ(parse_enrollment_token(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace synapsex::crypto
