#include "agent/plugins/inventory/limits.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace synapsex::inventory {
namespace {

struct Limited {
    std::string text;
    bool has_lost;

    friend bool operator==(const Limited&, const Limited&) = default;
};

Limited limited(std::string text, std::size_t bytes_max) {
    Limiter limiter;
    limiter.limit(text, bytes_max);
    return {text, limiter.has_lost()};
}

TEST(Limiter, leaves_good_text_alone) {
    EXPECT_EQ(limited("", 0), (Limited{"", false}));
    EXPECT_EQ(limited("web-1", 5), (Limited{"web-1", false}));
    EXPECT_EQ(limited("Zürich €", 11), (Limited{"Zürich €", false}));
}

TEST(Limiter, cuts_between_code_points) {
    EXPECT_EQ(limited("web-1", 4), (Limited{"web-", true}));
    EXPECT_EQ(limited("Zürich", 2), (Limited{"Z", true}));
    EXPECT_EQ(limited("ab€", 4), (Limited{"ab", true}));
    EXPECT_EQ(limited("😀", 3), (Limited{"", true}));
}

TEST(Limiter, replaces_what_is_not_utf8_and_what_no_console_should_print) {
    EXPECT_EQ(limited("a\xFFz", 255), (Limited{"a\uFFFDz", false}));
    EXPECT_EQ(limited("\xE2\x82", 255), (Limited{"\uFFFD\uFFFD", false}));
    const Limited three_replaced{"\uFFFD\uFFFD\uFFFD", false};
    EXPECT_EQ(limited("\xED\xA0\x80", 255), three_replaced) << "a surrogate";
    EXPECT_EQ(limited("/mnt/a\nb\x1B[31m", 255), (Limited{"/mnt/a\uFFFDb\uFFFD[31m", false}));
    EXPECT_EQ(limited(std::string("a\0b", 3), 255), (Limited{"a\uFFFDb", false}));
    EXPECT_EQ(limited("\x7F", 2), (Limited{"", true})) << "the replacement has three bytes";
}

TEST(Limiter, bounds_lists_by_count_and_by_bytes) {
    Limiter limiter;
    std::vector<std::string> list(5, "x");
    limiter.limit_count(list, 5);
    EXPECT_FALSE(limiter.has_lost());
    limiter.limit_count(list, 3);
    EXPECT_TRUE(limiter.has_lost());
    EXPECT_EQ(list.size(), 3U);

    Limiter bytes;
    bytes.limit_bytes(list, [](const auto&) { return kSectionBytesMax / 3; });
    EXPECT_FALSE(bytes.has_lost());
    bytes.limit_bytes(list, [](const auto&) { return kSectionBytesMax / 2; });
    EXPECT_TRUE(bytes.has_lost());
    EXPECT_EQ(list.size(), 2U);
}

}  // namespace
}  // namespace synapsex::inventory
