#include "controlplane/services/tenant/slug.hpp"

#include <gmock/gmock.h>

namespace synapsex::tenant {
namespace {

using ::testing::SizeIs;

const TenantId kTenant = *TenantId::parse("ten_01arz3ndektsv4rrffq69g5fav");

TEST(Slug, is_letters_and_digits_with_single_hyphens_inside) {
    for (const auto* good : {"ab", "a1", "acme-prod", "a-b-c", "0x"})
        EXPECT_TRUE(is_slug(good)) << good;
    for (const auto* bad : {"", "a", "-a", "a-", "a--b", "Acme", "a_b", "a b", "\xC3\xA9t\xC3\xA9"})
        EXPECT_FALSE(is_slug(bad)) << bad;
}

TEST(Slug, has_two_to_forty_characters) {
    EXPECT_TRUE(is_slug(std::string(40, 'a')));
    EXPECT_FALSE(is_slug(std::string(41, 'a')));
}

TEST(Slug, is_never_mistaken_for_an_id) { EXPECT_FALSE(is_slug(kTenant.text())); }

TEST(SlugsFor, begins_with_the_name_itself) {
    EXPECT_EQ(slugs_for("ACME Production", kTenant).front(), "acme-production");
    EXPECT_EQ(slugs_for("  R&D // Berlin!  ", kTenant).front(), "r-d-berlin");
}

TEST(SlugsFor, goes_on_with_more_and_more_of_the_id) {
    const auto slugs = slugs_for("Acme", kTenant);
    ASSERT_THAT(slugs, SizeIs(3));
    EXPECT_EQ(slugs[1], "acme-5fav");
    EXPECT_EQ(slugs[2], "acme-tsv4rrffq69g5fav");
}

TEST(SlugsFor, has_an_answer_for_names_without_a_letter_it_knows) {
    const auto slugs = slugs_for("東京", kTenant);
    ASSERT_THAT(slugs, SizeIs(2));
    EXPECT_EQ(slugs.front(), "tenant-5fav");
    EXPECT_EQ(slugs_for("x", kTenant).front(), "x-5fav");
}

TEST(SlugsFor, gives_slugs_only_whatever_the_length) {
    for (std::size_t size = 0; size <= 100; ++size) {
        for (const auto& slug : slugs_for(std::string(size, 'a'), kTenant))
            EXPECT_TRUE(is_slug(slug)) << slug;
        std::string words;
        while (words.size() < size) words += "ab ";
        for (const auto& slug : slugs_for(words, kTenant)) EXPECT_TRUE(is_slug(slug)) << slug;
    }
}

TEST(SlugsFor, is_the_same_each_time) {
    EXPECT_EQ(slugs_for("Acme", kTenant), slugs_for("Acme", kTenant));
}

}  // namespace
}  // namespace synapsex::tenant
