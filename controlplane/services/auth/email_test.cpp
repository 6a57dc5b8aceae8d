#include "controlplane/services/auth/email.hpp"

#include <gmock/gmock.h>

namespace synapsex::auth {
namespace {

TEST(Email, is_kept_in_lower_case) {
    EXPECT_EQ(normalize_email("Ada.Lovelace+vm@Example.COM"), "ada.lovelace+vm@example.com");
}

TEST(Email, may_be_local_and_beyond_ascii) {
    EXPECT_EQ(normalize_email("owner@localhost"), "owner@localhost");
    EXPECT_EQ(normalize_email("søren@møller.dk"), "søren@møller.dk");
}

TEST(Email, is_refused_when_it_cannot_be_one) {
    for (const auto* bad :
         {"", "ada", "@example.com", "ada@", "ada@@example.com", "ada@b@c", "a da@example.com",
          "ada@exam ple.com", "ada@.com", "ada@example.", "ada@a..b", "ada@-a.com", "ada@a-.com",
          "ada\n@example.com", "ada@example.com\r\nBcc: x", "\"ada\"@example.com", "<a@b.c>"})
        EXPECT_FALSE(normalize_email(bad)) << bad;
}

TEST(Email, has_a_local_part_of_at_most_64_bytes_and_labels_of_at_most_63) {
    EXPECT_TRUE(normalize_email(std::string(64, 'a') + "@b.c"));
    EXPECT_FALSE(normalize_email(std::string(65, 'a') + "@b.c"));
    EXPECT_TRUE(normalize_email("a@" + std::string(63, 'b')));
    EXPECT_FALSE(normalize_email("a@" + std::string(64, 'b')));
}

}  // namespace
}  // namespace synapsex::auth
