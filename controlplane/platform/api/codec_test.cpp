#include "controlplane/platform/api/codec.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "controlplane/platform/api/toy_api.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::api {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using toy::CreateWidget;

constexpr std::string_view kVm = "vm_01hv3m8q5t0000000000000000";

Result<CreateWidget> read(std::string_view body) {
    return Codec<CreateWidget>::read_json(body, Unknown::reject);
}

// "pointer code" of each, in order.
std::vector<std::string> errors_of(const Problem& problem) {
    std::vector<std::string> errors;
    for (const auto& error : problem.errors) errors.push_back(error.pointer + " " + error.code);
    return errors;
}

// A body with the two required members and whatever `more` adds.
std::string body_with(std::string_view more) {
    return R"({"name":"cog","size":{"widthMm":3}, )" + std::string{more} + "}";
}

TEST(ReadJson, reads_every_type_of_member) {
    const auto widget = read(
        R"({"name":"cög","color":"operator","size":{"widthMm":3,"heightMm":4},"labels":["a","bb"],)"
        R"("flags":{"x":true,"y":false},"config":{"any":[1,2.50,null]},"weight":2.5,)"
        R"("serial":18446744073709551615,"tiny":-128,"madeAt":"2026-01-02T04:04:05.5+01:00",)"
        R"("vmId":"vm_01hv3m8q5t0000000000000000","isSold":true})"
    );
    ASSERT_TRUE(widget) << widget.error().detail;
    EXPECT_EQ(widget->name.value, "cög");
    EXPECT_EQ(widget->color.value, toy::Color::operator_);
    EXPECT_EQ(widget->size.width_mm, 3);
    EXPECT_EQ(widget->size.height_mm.value(), 4);
    ASSERT_EQ(widget->labels->size(), 2U);
    EXPECT_EQ((*widget->labels)[1].value, "bb");
    EXPECT_THAT(*widget->flags, ElementsAre(std::pair{"x", true}, std::pair{"y", false}));
    EXPECT_EQ(widget->config->value, R"({"any":[1,2.50,null]})");
    EXPECT_EQ(widget->weight, 2.5);
    EXPECT_EQ(widget->serial, UINT64_MAX);
    EXPECT_EQ(widget->tiny, -128);
    EXPECT_EQ(format_rfc3339(*widget->made_at), "2026-01-02T03:04:05.500000Z");
    EXPECT_EQ(widget->vm_id->text(), kVm);
    EXPECT_TRUE(widget->is_sold);
}

TEST(ReadJson, leaves_what_may_be_absent_at_its_default) {
    const auto widget = read(R"({"name":"cog","size":{"widthMm":3},"labels":null})");
    ASSERT_TRUE(widget) << widget.error().detail;
    EXPECT_EQ(widget->color.value, toy::Color::green);
    EXPECT_FALSE(widget->is_sold);
    EXPECT_FALSE(widget->labels);
    EXPECT_FALSE(widget->size.height_mm);
}

TEST(ReadJson, reports_everything_that_is_wrong_at_once) {
    const auto widget =
        read(R"({"name":"","color":"blue","size":{"widthMm":101,"heightMm":"4","depth":1},)"
             R"("labels":["ok","longer",7],"flags":{"a/b":1},"weight":"x","vmId":"agt_1","x":0})");
    ASSERT_FALSE(widget);
    EXPECT_EQ(widget.error().kind, Kind::invalid);
    EXPECT_EQ(widget.error().code, "request.invalid");
    EXPECT_EQ(widget.error().detail, "11 things are wrong with the request.");
    EXPECT_THAT(
        errors_of(widget.error()),
        ElementsAre(
            "/name too_short",
            "/color not_an_enum_value",
            "/size/widthMm too_large",
            "/size/heightMm wrong_type",
            "/size/depth unknown_key",
            "/labels/1 too_long",
            "/labels/2 wrong_type",
            "/flags/a~1b wrong_type",
            "/weight wrong_type",
            "/vmId not_an_id",
            "/x unknown_key"
        )
    );
}

TEST(ReadJson, a_name_is_one_line_and_not_only_blanks) {
    for (const auto* bad : {R"("   ")", R"("a\nb")", R"("\u001b[31m")", R"("\u2028")"}) {
        const auto widget = read(R"({"size":{"widthMm":3},"name":)" + std::string{bad} + "}");
        ASSERT_FALSE(widget) << bad;
        EXPECT_THAT(errors_of(widget.error()), ElementsAre("/name not_a_name")) << bad;
    }
}

TEST(ReadJson, says_where_a_single_mistake_is) {
    const auto widget = read(R"({"name":"cog","size":{}})");
    ASSERT_FALSE(widget);
    EXPECT_EQ(widget.error().detail, "/size/widthMm: is required");
}

TEST(ReadJson, keeps_fifty_errors_and_counts_the_rest) {
    std::string keys;
    for (int i = 0; i < 60; ++i) keys += (i > 0 ? ",\"x" : "\"x") + std::to_string(i) + "\":0";
    const auto widget = read(body_with(keys));
    ASSERT_FALSE(widget);
    EXPECT_EQ(widget.error().errors.size(), 50U);
    EXPECT_EQ(
        widget.error().detail, "60 things are wrong with the request; the first 50 are listed."
    );
}

TEST(ReadJson, ignores_unknown_keys_where_it_is_told_to) {
    EXPECT_TRUE(Codec<CreateWidget>::read_json(
        R"({"name":"cog","size":{"widthMm":3,"y":[]},"x":{"a":1}})", Unknown::ignore
    ));
}

TEST(ReadJson, refuses_duplicate_keys_even_among_ignored_ones) {
    const auto widget = Codec<CreateWidget>::read_json(
        R"({"name":"cog","size":{"widthMm":3,"widthMm":4},"x":1,"x":2})", Unknown::ignore
    );
    ASSERT_FALSE(widget);
    EXPECT_THAT(
        errors_of(widget.error()), ElementsAre("/size/widthMm duplicate_key", "/x duplicate_key")
    );
}

TEST(ReadJson, lists_the_values_of_an_enumeration) {
    const auto widget = read(body_with(R"("color":"blue")"));
    ASSERT_FALSE(widget);
    EXPECT_EQ(widget.error().errors.at(0).detail, "must be one of red, green, operator");
}

struct OneMember {
    const char* json;
    const char* error;  // "pointer code"; empty: good
};

class ReadMember : public ::testing::TestWithParam<OneMember> {};

TEST_P(ReadMember, accepts_or_names_the_flaw) {
    const auto& [json, error] = GetParam();
    const auto widget = read(body_with(json));
    if (std::string_view{error}.empty()) {
        EXPECT_TRUE(widget) << json << ": " << widget.error().detail;
        return;
    }
    ASSERT_FALSE(widget) << json;
    EXPECT_THAT(errors_of(widget.error()), ElementsAre(error)) << json;
}

INSTANTIATE_TEST_SUITE_P(
    Integers,
    ReadMember,
    ::testing::Values(
        OneMember{R"("tiny":127)", ""},
        OneMember{R"("tiny":128)", "/tiny too_large"},
        OneMember{R"("tiny":-129)", "/tiny too_small"},
        OneMember{R"("tiny":5.0)", ""},
        OneMember{R"("tiny":5e0)", ""},
        OneMember{R"("tiny":0.5e1)", ""},
        OneMember{R"("tiny":-0)", ""},
        OneMember{R"("tiny":-0.0)", ""},
        OneMember{R"("tiny":5.5)", "/tiny wrong_type"},
        OneMember{R"("tiny":1e-400)", ""},
        OneMember{R"("tiny":"5")", "/tiny wrong_type"},
        OneMember{R"("tiny":true)", "/tiny wrong_type"},
        OneMember{R"("tiny":[5])", "/tiny wrong_type"},
        OneMember{R"("tiny":1e400)", "/tiny too_large"},
        OneMember{R"("tiny":-1e400)", "/tiny too_small"},
        OneMember{R"("tiny":99999999999999999999999999)", "/tiny too_large"},
        OneMember{R"("serial":18446744073709551616)", "/serial too_large"},
        OneMember{R"("serial":-1)", "/serial too_small"},
        OneMember{R"("serial":9007199254740992.0)", ""},
        OneMember{R"("serial":1e19)", "/serial wrong_type"}
    )
);
INSTANTIATE_TEST_SUITE_P(
    Others,
    ReadMember,
    ::testing::Values(
        OneMember{R"("weight":3)", ""},
        OneMember{R"("weight":-1.5e-7)", ""},
        OneMember{R"("weight":1e400)", "/weight too_large"},
        OneMember{R"("isSold":1)", "/isSold wrong_type"},
        OneMember{R"("isSold":"true")", "/isSold wrong_type"},
        OneMember{R"("isSold":null)", "/isSold wrong_type"},
        OneMember{R"("color":"operator_")", "/color not_an_enum_value"},
        OneMember{R"("color":"RED")", "/color not_an_enum_value"},
        OneMember{R"("color":1)", "/color wrong_type"},
        OneMember{R"("labels":[])", ""},
        OneMember{R"("labels":["a","b","c"])", ""},
        OneMember{R"("labels":["a","b","c","d"])", "/labels too_many_items"},
        OneMember{R"("labels":{"0":"a"})", "/labels wrong_type"},
        OneMember{R"("labels":[null])", "/labels/0 wrong_type"},
        OneMember{R"("labels":["éééé"])", ""},
        OneMember{R"("labels":["ééééé"])", "/labels/0 too_long"},
        OneMember{R"("labels":["\u0000"])", "/labels/0 nul"},
        OneMember{R"("flags":[])", "/flags wrong_type"},
        OneMember{R"("flags":{})", ""},
        OneMember{R"("config":null)", ""},
        OneMember{R"("config":7)", ""},
        OneMember{R"("config":{"a":{"a":1,"a":2}})", "/config/a/a duplicate_key"},
        OneMember{R"("madeAt":"2026-02-30T00:00:00Z")", "/madeAt not_an_instant"},
        OneMember{R"("madeAt":"2026-01-02")", "/madeAt not_an_instant"},
        OneMember{R"("madeAt":1767323045)", "/madeAt wrong_type"},
        OneMember{R"("vmId":"vm_")", "/vmId not_an_id"},
        OneMember{R"("vmId":"")", "/vmId not_an_id"},
        OneMember{R"("vmId":"VM_01hv3m8q5t0000000000000000")", "/vmId not_an_id"},
        OneMember{R"("vm_id":"vm_01hv3m8q5t0000000000000000")", "/vm_id unknown_key"},
        OneMember{R"("size":{"widthMm":1})", "/size duplicate_key"}
    )
);

TEST(ReadJson, caps_free_json_and_strings) {
    const std::string long_text(20'000, 'x');
    const auto config = read(body_with("\"config\":\"" + long_text + "\""));
    ASSERT_FALSE(config);
    EXPECT_THAT(errors_of(config.error()), ElementsAre("/config too_long"));

    const std::string huge(64 * 1024 + 1, 'x');
    const auto note =
        Codec<toy::Grant>::read_json(R"({"grant_type":")" + huge + "\"}", Unknown::reject);
    ASSERT_FALSE(note);
    EXPECT_THAT(errors_of(note.error()), ElementsAre("/grant_type too_long"));
}

TEST(ReadJson, wants_an_object_for_a_struct) {
    for (const std::string_view text : {"[]", "null", "7", "\"x\"", "true"}) {
        const auto widget = read(text);
        ASSERT_FALSE(widget) << text;
        EXPECT_THAT(errors_of(widget.error()), ElementsAre(" wrong_type")) << text;
        EXPECT_EQ(widget.error().detail, "The request body: must be an object");
    }
}

TEST(ReadJson, tells_absent_null_and_set_apart_in_a_patch) {
    const auto patch = Codec<toy::PatchWidget>::read_json(
        R"({"widgetId":"vm_01hv3m8q5t0000000000000000","note":null})", Unknown::reject
    );
    ASSERT_TRUE(patch);
    EXPECT_FALSE(patch->name.is_present());
    EXPECT_EQ(patch->note.state, Change<std::string>::State::cleared);
    const auto set = Codec<toy::PatchWidget>::read_json(
        R"({"widgetId":"vm_01hv3m8q5t0000000000000000","name":"cog"})", Unknown::reject
    );
    ASSERT_TRUE(set);
    EXPECT_EQ(set->name.value.value, "cog");
}

TEST(ReadJson, reads_structs_that_hold_their_own_kind) {
    const auto tree = Codec<toy::Tree>::read_json(
        R"({"name":"root","branches":[{"name":"a","branches":[{"name":"b","branches":[]}]}]})",
        Unknown::reject
    );
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->branches.at(0).branches.at(0).name, "b");
}

toy::Widget some_widget() {
    toy::Widget widget;
    widget.id = *VmId::parse(kVm);
    widget.name = "a \"b\"\n\x01é";
    widget.color = toy::Color::operator_;
    widget.size.width_mm.value = 3;
    widget.counts = {{"x", 1}, {"y\"", -2}};
    widget.config.value = R"({"a":[1]})";
    widget.weight = 0.1;
    widget.serial = UINT64_MAX;
    widget.made_at = *parse_rfc3339("2026-01-02T03:04:05Z");
    return widget;
}

TEST(WriteJson, writes_every_member_in_order) {
    std::string out = "x";  // what stands there stays
    Codec<toy::Widget>::write_json(some_widget(), out);
    EXPECT_EQ(
        out,
        R"(x{"id":"vm_01hv3m8q5t0000000000000000","name":"a \"b\"\n\u0001é","color":"operator",)"
        R"("size":{"widthMm":3,"heightMm":null},"others":[],"note":null,"counts":{"x":1,"y\"":-2},)"
        R"("config":{"a":[1]},"weight":0.1,"serial":18446744073709551615,"isSold":false,)"
        R"("madeAt":"2026-01-02T03:04:05Z"})"
    );
}

TEST(WriteJson, is_read_back_the_same) {
    std::string once;
    Codec<std::vector<toy::Widget>>::write_json({some_widget(), some_widget()}, once);
    const auto read_back = Codec<std::vector<toy::Widget>>::read_json(once, Unknown::reject);
    ASSERT_TRUE(read_back) << read_back.error().detail;
    std::string twice;
    Codec<std::vector<toy::Widget>>::write_json(*read_back, twice);
    EXPECT_EQ(once, twice);
}

TEST(Check, finds_what_a_reader_would_have_refused) {
    CreateWidget widget;
    widget.name.value = "too long for it";
    widget.size.width_mm.value = 101;
    widget.labels.emplace(4);
    widget.flags = {{"x", true}};
    widget.weight = std::numeric_limits<double>::infinity();
    widget.made_at = Timestamp::min();
    const auto checked = Codec<CreateWidget>::check(widget);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, "request.invalid");
    EXPECT_THAT(
        errors_of(checked.error()),
        ElementsAre(
            "/name too_long", "/size/widthMm too_large", "/labels too_many_items",
            "/weight too_large", "/madeAt not_an_instant"
        )
    );
}

TEST(Check, looks_into_lists_and_texts) {
    CreateWidget widget;
    widget.name.value = std::string("a\0b", 3);
    widget.labels = {{"ok"}, {"\xFF"}, {""}};
    const auto checked = Codec<CreateWidget>::check(widget);
    ASSERT_FALSE(checked);
    EXPECT_THAT(
        errors_of(checked.error()),
        ElementsAre("/name nul", "/labels/1 invalid_utf8", "/labels/2 too_short")
    );
    EXPECT_TRUE(Codec<toy::Widget>::check(some_widget()));
}

TEST(WriteJson, refuses_a_number_that_json_has_not) {
    auto widget = some_widget();
    widget.weight = std::numeric_limits<double>::quiet_NaN();
    std::string out;
    EXPECT_THROW(Codec<toy::Widget>::write_json(widget, out), std::logic_error);
}

TEST(WriteJson, mends_text_that_is_no_utf8) {
    std::string out;
    Codec<toy::Tree>::write_json({"\xFF", {}}, out);
    EXPECT_EQ(out, "{\"name\":\"\xEF\xBF\xBD\",\"branches\":[]}");
}

// Whatever comes in: an answer or a problem, never a crash; and what is accepted is what another
// parser reads, too.
TEST(ReadJson, survives_random_bytes) {
    testing::SeededRandom random{7};
    for (int round = 0; round < 20'000; ++round) {
        std::string text(random.below(40), '\0');
        random.fill(std::as_writable_bytes(std::span{text}));
        const auto tree = Codec<toy::Tree>::read_json(text, Unknown::ignore);
        EXPECT_FALSE(tree);
    }
}

TEST(ReadJson, survives_mutations_of_a_good_body) {
    const std::string good = body_with(
        R"("labels":["a\u00e9","b"],"flags":{"x":true},"config":{"a":[1,{"b":-2.5e3}]},)"
        R"("weight":2.5,"madeAt":"2026-01-02T04:04:05.5+01:00","serial":18446744073709551615)"
    );
    constexpr std::string_view kTokens[] = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0000",
        "1e999",
        "null",
        "-",
        "0",
        "\xFF",
        "\xED\xA0\x80"};
    testing::SeededRandom random{11};
    int accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        auto text = good;
        for (auto edits = random.below(4); edits > 0; --edits) {
            const auto at = random.below(text.size());
            const auto token = kTokens[random.below(std::size(kTokens))];
            if (random.below(2) == 0)
                text.replace(at, random.below(4), token);
            else
                text.insert(at, token);
        }
        const auto widget = read(text);
        boost::json::error_code error;
        boost::json::parse(text, error);
        if (widget) {
            ++accepted;
            EXPECT_FALSE(error) << text;
        } else {
            EXPECT_FALSE(widget.error().detail.empty());
            EXPECT_EQ(widget.error().code == "request.malformed", error.failed()) << text;
        }
    }
    EXPECT_GT(accepted, 1000);  // the untouched ones at least
}

}  // namespace
}  // namespace synapsex::api
