#include "controlplane/platform/api/json_document.hpp"

#include <gmock/gmock.h>

#include "controlplane/platform/api/json_reader.hpp"

namespace synapsex::api {
namespace {

using namespace std::string_literals;

struct BadText {
    const char* name;
    std::string text;
    std::string code;    // of the one error
    std::string detail;  // a part of it
};

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

class MalformedJson : public ::testing::TestWithParam<BadText> {};

TEST_P(MalformedJson, is_refused_with_a_code_and_a_place) {
    const auto& bad = GetParam();
    const auto document = JsonDocument::parse(bad.text);
    ASSERT_FALSE(document);
    const auto& problem = document.error();
    EXPECT_EQ(problem.kind, Kind::invalid);
    EXPECT_EQ(problem.code, "request.malformed");
    ASSERT_EQ(problem.errors.size(), 1U);
    EXPECT_EQ(problem.errors[0].code, bad.code) << problem.detail;
    EXPECT_EQ(problem.errors[0].pointer, "");
    EXPECT_THAT(problem.detail, ::testing::HasSubstr(bad.detail));
}

INSTANTIATE_TEST_SUITE_P(
    Golden,
    MalformedJson,
    ::testing::Values(
        BadText{"nothing", "", "syntax", "ends too early, at byte 0"},
        BadText{"blanks", "  \n", "syntax", "ends too early"},
        BadText{"cut_object", R"({"a":1)", "syntax", "ends too early, at byte 6"},
        BadText{"cut_string", R"({"a":"b)", "syntax", "ends too early"},
        BadText{"cut_literal", "tru", "syntax", "ends too early"},
        BadText{"trailing_garbage", R"({"a":1} x)", "syntax", "something follows"},
        BadText{"two_documents", "{}{}", "syntax", "at byte 2"},
        BadText{"trailing_comma", R"({"a":1,})", "syntax", "at byte 7"},
        BadText{"comment", "{} // no", "syntax", "at byte 3"},
        BadText{"single_quotes", "{'a':1}", "syntax", "at byte 1"},
        BadText{"bare_key", "{a:1}", "syntax", "at byte 1"},
        BadText{"leading_zero", "[01]", "syntax", "at byte 2"},
        BadText{"leading_plus", "[+1]", "syntax", "at byte 1"},
        BadText{"bare_fraction", "[.5]", "syntax", "at byte 1"},
        BadText{"nan", "[NaN]", "syntax", "at byte 1"},
        BadText{"infinity", "[-Infinity]", "syntax", "at byte 2"},
        BadText{"control_character", "[\"a\nb\"]", "syntax", "at byte 3"},
        BadText{"raw_nul", "[\"a\0b\"]"s, "syntax", "at byte 3"},
        BadText{"bad_escape", R"(["\x41"])", "syntax", "at byte"},
        BadText{"short_unicode_escape", R"(["\u12"])", "syntax", "at byte"},
        BadText{"lone_surrogate", R"(["\ud800"])", "syntax", "at byte"},
        BadText{"swapped_surrogates", R"(["\udc00\ud800"])", "syntax", "at byte"},
        BadText{"byte_order_mark", "\xEF\xBB\xBF{}", "byte_order_mark", "byte order mark"},
        BadText{"utf16", "{\0}\0"s, "syntax", "at byte 1"},
        BadText{"lone_continuation", "[\"\x80\"]", "invalid_utf8", "not UTF-8"},
        BadText{"overlong", "[\"\xC0\xAF\"]", "invalid_utf8", "not UTF-8"},
        BadText{"overlong_3", "[\"\xE0\x80\xAF\"]", "invalid_utf8", "not UTF-8"},
        BadText{"encoded_surrogate", "[\"\xED\xA0\x80\"]", "invalid_utf8", "not UTF-8"},
        BadText{"beyond_unicode", "[\"\xF4\x90\x80\x80\"]", "invalid_utf8", "not UTF-8"},
        BadText{"cut_code_point", "[\"\xE2\x82\"]", "invalid_utf8", "not UTF-8"},
        BadText{
            "latin1_key",
            "{\"stra\xDF"
            "e\":1}",
            "invalid_utf8",
            "not UTF-8"},
        BadText{"too_deep", nested(33), "too_deep", "more than 32 levels"},
        BadText{"much_too_deep", std::string(100'000, '['), "too_deep", "more than 32 levels"}
    ),
    [](const auto& suite) { return suite.param.name; }
);

TEST(JsonDocument, takes_32_levels) {
    EXPECT_TRUE(JsonDocument::parse(nested(32)));
}

TEST(JsonDocument, refuses_more_values_than_it_has_memory_for) {
    std::string text = "[0";
    for (std::size_t i = 0; i < kJsonNodesMax; ++i) text += ",0";
    const auto document = JsonDocument::parse(text + "]");
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().errors.at(0).code, "too_many_values");
}

std::string round_trip(const std::string& text) {
    const auto document = JsonDocument::parse(text);
    if (!document) return document.error().detail;
    std::string out;
    append_json(*document, document->root(), out);
    return out;
}

TEST(JsonDocument, keeps_every_value_as_it_was_written) {
    for (const std::string text :
         {R"({"a":1,"b":[true,false,null],"c":{"d":"e"},"":"empty key"})",
          "[]",
          "{}",
          "0",
          "-0",
          "\"text\"",
          "1.50",
          "1e5",
          "1E+2",
          "12345678901234567890123",
          "0.1000000000000000055",
          "[[],{},[{}],[1,[2]]]",
          R"(["\"\\\n"])"})
        EXPECT_EQ(round_trip(text), text);
    EXPECT_EQ(round_trip(" { \"a\" : [ 1 , 2 ] } "), R"({"a":[1,2]})");
    EXPECT_EQ(round_trip(R"(["\u00e9\u20ac\ud83d\ude00\/"])"), "[\"é€😀/\"]");
}

TEST(JsonDocument, tells_numbers_apart) {
    const auto document =
        JsonDocument::parse("[-9223372036854775808,18446744073709551615,5.0,1e400,0.1]");
    ASSERT_TRUE(document);
    const auto* node = document->first_child(document->root());
    EXPECT_EQ(node->kind, JsonKind::integer);
    EXPECT_EQ(node->integer, widen(INT64_MIN));
    node = document->next(*node);
    EXPECT_EQ(node->integer, widen(UINT64_MAX));
    node = document->next(*node);
    EXPECT_EQ(node->kind, JsonKind::number);
    EXPECT_EQ(node->number, 5.0);
    node = document->next(*node);
    EXPECT_EQ(node->text, "1e400");
    EXPECT_EQ(document->next(*node)->number, 0.1);
}

std::vector<FieldProblem> flaws_of(const std::string& text) {
    const auto document = JsonDocument::parse(text);
    FieldProblems problems;
    document->report_flaws(problems);
    return std::move(problems).into_problem().errors;
}

TEST(JsonDocument, finds_duplicate_keys_wherever_they_stand) {
    const std::vector<FieldProblem> expected{
        {"/a", "duplicate_key", "stands more than once"},
        {"/b/1/c~1d~0e", "duplicate_key", "stands more than once"},
    };
    EXPECT_THAT(
        flaws_of(R"({"a":1,"b":[0,{"c/d~e":1,"c/d~e":2}],"\u0061":2})"),
        ::testing::UnorderedElementsAreArray(expected)
    );
}

TEST(JsonDocument, finds_a_duplicate_among_many_keys) {
    std::string text = "{";
    for (int i = 0; i < 100; ++i) text += "\"k" + std::to_string(i) + "\":0,";
    const auto flaws = flaws_of(text + R"("k7":1})");
    ASSERT_EQ(flaws.size(), 1U);
    EXPECT_EQ(flaws[0].pointer, "/k7");
}

TEST(JsonDocument, finds_nul_in_strings_and_keys) {
    const auto flaws = flaws_of(R"({"a":"x\u0000y","b\u0000":1})");
    ASSERT_EQ(flaws.size(), 2U);
    EXPECT_EQ(flaws[0], (FieldProblem{"/a", "nul", "contains U+0000"}));
    EXPECT_EQ(flaws[1].pointer, "/b\0"s);
}

}  // namespace
}  // namespace synapsex::api
