#include "controlplane/platform/api/gzip.hpp"

#include <gtest/gtest.h>

namespace synapsex::api {
namespace {

TEST(Gzip, is_undone_and_is_the_same_for_the_same_text) {
    for (const auto& text : {std::string{}, std::string{"hello"}, std::string(100'000, 'x')}) {
        EXPECT_EQ(gunzip(gzip(text), text.size()).value(), text);
        EXPECT_EQ(gzip(text), gzip(text));
    }
}

TEST(Gunzip, refuses_what_is_cut_or_goes_on) {
    const auto packed = gzip("hello, hello, hello");
    EXPECT_EQ(gunzip(packed, 100).value(), "hello, hello, hello");
    EXPECT_EQ(
        gunzip(packed.substr(0, packed.size() - 1), 100).error().code,
        "request.encoding_broken"
    );
    EXPECT_EQ(gunzip(packed + "x", 100).error().code, "request.encoding_broken");
    EXPECT_EQ(gunzip("", 100).error().code, "request.encoding_broken");
    EXPECT_EQ(gunzip(packed, 18).error().code, "request.too_large");
}

}  // namespace
}  // namespace synapsex::api
