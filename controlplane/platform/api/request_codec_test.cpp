#include "controlplane/platform/api/request_codec.hpp"

#include <gmock/gmock.h>

#include "controlplane/platform/api/parameters.hpp"
#include "controlplane/platform/api/toy_api.hpp"

namespace synapsex::api {
namespace {

using ::testing::ElementsAre;

const std::string kVm = "vm_01hv3m8q5t0000000000000000";

RequestParts query(Parameters parameters) {
    return {{}, std::move(parameters), {}, {}};
}
RequestParts json(std::string body) {
    return {{}, {}, "application/json", std::move(body)};
}

std::vector<std::string> errors_of(const Problem& problem) {
    std::vector<std::string> errors;
    for (const auto& error : problem.errors) errors.push_back(error.pointer + " " + error.code);
    return errors;
}

template <class Request, class Response>
Result<Request> read(const Operation<Request, Response>& operation, const RequestParts& parts) {
    return Codec<Request>::read_request(operation.info(), parts);
}

TEST(ReadQuery, reads_members_from_parameters) {
    const auto list = read(
        toy::kListWidgets,
        query(
            {{"limit", "7"},
             {"namePrefix", "ab"},
             {"color", "red"},
             {"color", "operator"},
             {"isSold", "true"},
             {"weightMax", "2.5"}}
        )
    );
    ASSERT_TRUE(list) << list.error().detail;
    EXPECT_EQ(list->limit.value, 7);
    EXPECT_EQ(list->name_prefix->value, "ab");
    EXPECT_THAT(list->color, ElementsAre(toy::Color::red, toy::Color::operator_));
    EXPECT_TRUE(list->is_sold);
    EXPECT_EQ(list->weight_max, 2.5);
}

TEST(ReadQuery, gives_defaults_and_empty_lists) {
    const auto list = read(toy::kListWidgets, query({}));
    ASSERT_TRUE(list);
    EXPECT_EQ(list->limit.value, 50);
    EXPECT_TRUE(list->color.empty());
    EXPECT_FALSE(list->name_prefix);
}

struct BadQuery {
    Parameters parameters;
    std::vector<std::string> errors;
};

class RefusedQuery : public ::testing::TestWithParam<BadQuery> {};

TEST_P(RefusedQuery, names_the_parameters) {
    const auto list = read(toy::kListWidgets, query(GetParam().parameters));
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().code, "request.invalid");
    EXPECT_EQ(errors_of(list.error()), GetParam().errors);
}

INSTANTIATE_TEST_SUITE_P(
    Golden,
    RefusedQuery,
    ::testing::Values(
        BadQuery{{{"limit", "0"}}, {"limit too_small"}},
        BadQuery{{{"limit", "101"}}, {"limit too_large"}},
        BadQuery{{{"limit", "-1"}}, {"limit too_small"}},
        BadQuery{{{"limit", "99999999999999999999"}}, {"limit too_large"}},
        BadQuery{{{"limit", "-99999999999999999999"}}, {"limit too_small"}},
        BadQuery{{{"limit", ""}}, {"limit wrong_type"}},
        BadQuery{{{"limit", "-"}}, {"limit wrong_type"}},
        BadQuery{{{"limit", "+5"}}, {"limit wrong_type"}},
        BadQuery{{{"limit", " 5"}}, {"limit wrong_type"}},
        BadQuery{{{"limit", "5.0"}}, {"limit wrong_type"}},
        BadQuery{{{"limit", "0x5"}}, {"limit wrong_type"}},
        BadQuery{{{"limit", "5"}, {"limit", "5"}}, {"limit duplicate_parameter"}},
        BadQuery{{{"isSold", "1"}}, {"isSold wrong_type"}},
        BadQuery{{{"isSold", "True"}}, {"isSold wrong_type"}},
        BadQuery{{{"weightMax", "inf"}}, {"weightMax wrong_type"}},
        BadQuery{{{"weightMax", "nan"}}, {"weightMax wrong_type"}},
        BadQuery{{{"namePrefix", ""}}, {"namePrefix too_short"}},
        BadQuery{{{"namePrefix", "\xFF"}}, {"namePrefix invalid_utf8"}},
        BadQuery{{{"namePrefix", std::string{"a\0b", 3}}}, {"namePrefix nul"}},
        BadQuery{{{"color", "red"}, {"color", "blue"}}, {"color not_an_enum_value"}},
        BadQuery{
            {{"color", "red"}, {"color", "red"}, {"color", "red"}, {"color", "red"}},
            {"color too_many_items"}},
        BadQuery{{{"name_prefix", "x"}}, {"name_prefix unknown_parameter"}},
        BadQuery{{{"limit", "x"}, {"what", ""}}, {"limit wrong_type", "what unknown_parameter"}}
    )
);

TEST(ReadPath, reads_the_members_that_the_path_names) {
    RequestParts parts;
    parts.path = {{"widgetId", kVm}};
    const auto path = read(toy::kGetWidget, parts);
    ASSERT_TRUE(path);
    EXPECT_EQ(path->widget_id.text(), kVm);
}

TEST(ReadPath, refuses_what_is_no_id) {
    RequestParts parts;
    parts.path = {{"widgetId", "agt_01hv3m8q5t0000000000000000"}};
    const auto path = read(toy::kGetWidget, parts);
    ASSERT_FALSE(path);
    EXPECT_THAT(errors_of(path.error()), ElementsAre("widgetId not_an_id"));
}

TEST(ReadBody, takes_path_members_from_the_path_alone) {
    auto parts = json(R"({"widgetId":")" + kVm + R"(","name":"cog"})");
    parts.path = {{"widgetId", kVm}};
    const auto patch = read(toy::kPatchWidget, parts);
    ASSERT_FALSE(patch);
    EXPECT_THAT(errors_of(patch.error()), ElementsAre("/widgetId unknown_key"));
}

TEST(ReadBody, collects_what_is_wrong_in_path_query_and_body) {
    auto parts = json(R"({"name":"","x":1})");
    parts.path = {{"widgetId", "7"}};
    parts.query = {{"dry", "1"}};
    const auto patch = read(toy::kPatchWidget, parts);
    ASSERT_FALSE(patch);
    EXPECT_THAT(
        errors_of(patch.error()),
        ElementsAre(
            "widgetId not_an_id", "dry unknown_parameter", "/name too_short", "/x unknown_key"
        )
    );
}

TEST(ReadBody, is_required_where_a_member_is) {
    const auto widget = read(toy::kCreateWidget, json(""));
    ASSERT_FALSE(widget);
    EXPECT_THAT(errors_of(widget.error()), ElementsAre(" body_required"));
    EXPECT_EQ(widget.error().detail, "The request body: a body is required");
}

TEST(ReadBody, may_be_empty_where_no_member_is_required) {
    RequestParts parts;
    parts.path = {{"widget_id", kVm}};
    EXPECT_TRUE(read(toy::kSellWidget, parts));
}

TEST(ReadBody, must_not_stand_with_get_and_delete) {
    RequestParts parts;
    parts.path = {{"widgetId", kVm}};
    parts.body = "{}";
    EXPECT_EQ(read(toy::kRemoveWidget, parts).error().code, "request.body_not_allowed");
    EXPECT_EQ(read(toy::kGetWidget, parts).error().code, "request.body_not_allowed");
}

TEST(ReadBody, has_to_be_of_a_media_type_that_the_operation_reads) {
    const auto code_of = [](const auto& operation, std::string_view media_type) {
        RequestParts parts{{{"widgetId", kVm}}, {}, std::string{media_type}, "{}"};
        const auto request = read(operation, parts);
        return request ? std::string{} : request.error().code;
    };
    constexpr std::string_view kRefused = "request.unsupported_media_type";
    EXPECT_EQ(code_of(toy::kCreateWidget, "text/plain"), kRefused);
    EXPECT_EQ(code_of(toy::kCreateWidget, ""), kRefused);
    EXPECT_EQ(code_of(toy::kCreateWidget, "application/merge-patch+json"), kRefused);
    EXPECT_EQ(code_of(toy::kCreateWidget, "application/x-protobuf"), kRefused);
    EXPECT_EQ(code_of(toy::kCreateWidget, "application/json"), "request.invalid");
    EXPECT_EQ(code_of(toy::kPatchWidget, "application/json"), "");
    EXPECT_EQ(code_of(toy::kPatchWidget, "application/merge-patch+json"), "");
    EXPECT_EQ(code_of(toy::kGrant, "application/json"), kRefused);
}

TEST(ReadBody, refused_for_its_media_type_says_what_is_read) {
    RequestParts parts{{}, {}, "text/plain", "{}"};
    const auto problem = read(toy::kCreateWidget, parts).error();
    EXPECT_EQ(problem.kind, Kind::unsupported_media);
    EXPECT_EQ(problem.detail, "The body must be application/json; it is text/plain.");
    EXPECT_THAT(
        problem.headers,
        ElementsAre(std::pair<std::string, std::string>{"Accept", "application/json"})
    );
}

TEST(ReadForm, reads_names_as_the_standard_writes_them) {
    RequestParts parts{
        {}, {}, "application/x-www-form-urlencoded", "grant_type=a%2Bb+c&scope=x&other=1"};
    const auto grant = read(toy::kGrant, parts);
    ASSERT_TRUE(grant) << grant.error().detail;
    EXPECT_EQ(grant->grant_type, "a+b c");
    EXPECT_EQ(grant->scope, "x");
}

TEST(ReadForm, refuses_duplicates_and_broken_escapes) {
    RequestParts parts{{}, {}, "application/x-www-form-urlencoded", "grant_type=a&grant_type=b"};
    EXPECT_THAT(
        errors_of(read(toy::kGrant, parts).error()), ElementsAre("/grant_type duplicate_parameter")
    );
    for (const std::string body : {"grant_type=%", "grant_type=%4", "grant_type=%zz", "%00=1"}) {
        parts.body = body;
        EXPECT_EQ(read(toy::kGrant, parts).error().code, "request.malformed") << body;
    }
}

TEST(ReadBytes, hands_the_body_over_as_it_came) {
    const std::string bytes{"\0\xFF{", 3};
    RequestParts parts{{{"widgetId", kVm}}, {{"fileName", "a.png"}}, "image/png", bytes};
    const auto upload = read(toy::kUploadImage, parts);
    ASSERT_TRUE(upload) << upload.error().detail;
    EXPECT_EQ(upload->body, bytes);
    EXPECT_EQ(upload->file_name, "a.png");
}

// --- programming errors -----------------------------------------------------------------------

template <class Request>
void check(const OperationInfo& operation) {
    Codec<Request>::check_operation(operation);
}

TEST(CheckRequest, accepts_every_operation_of_the_toy) {
    check<toy::ListWidgets>(toy::kListWidgets.info());
    check<toy::CreateWidget>(toy::kCreateWidget.info());
    check<toy::PatchWidget>(toy::kPatchWidget.info());
    check<toy::Sell>(toy::kSellWidget.info());
    check<toy::Upload>(toy::kUploadImage.info());
    check<toy::Grant>(toy::kGrant.info());
}

TEST(CheckRequest, finds_a_path_parameter_that_is_no_member) {
    auto operation = toy::kGetWidget.info();
    operation.path = "/v1/widgets/{widgetID}";
    EXPECT_THROW(check<toy::WidgetPath>(operation), std::logic_error);
}

TEST(CheckRequest, finds_a_struct_in_a_query_or_form) {
    auto operation = toy::kCreateWidget.info();
    operation.method = Verb::get;
    EXPECT_THROW(check<toy::CreateWidget>(operation), std::logic_error);
    operation = toy::kCreateWidget.info();
    operation.body = BodyKind::form;
    EXPECT_THROW(check<toy::CreateWidget>(operation), std::logic_error);
}

TEST(CheckRequest, finds_bytes_without_a_place) {
    auto operation = toy::kSellWidget.info();
    operation.body = BodyKind::bytes;
    EXPECT_THROW(check<toy::Sell>(operation), std::logic_error);
}

// --- writing ----------------------------------------------------------------------------------

template <class Request, class Response>
ClientRequest write(const Operation<Request, Response>& operation, const Request& request) {
    return Codec<Request>::write_request(operation.info(), request);
}

TEST(WriteRequest, puts_members_where_the_operation_has_them) {
    toy::PatchWidget patch{*VmId::parse(kVm), {}, {}};
    patch.note.state = Change<std::string>::State::cleared;
    auto wire = write(toy::kPatchWidget, patch);
    EXPECT_EQ(wire.target, "/v1/widgets/" + kVm);
    EXPECT_EQ(wire.body, R"({"note":null})");

    toy::Sell sell{*VmId::parse(kVm), {}};
    wire = write(toy::kSellWidget, sell);
    EXPECT_EQ(wire.target, "/v1/sales/" + kVm);
    EXPECT_EQ(wire.body, "{}");
}

TEST(WriteRequest, writes_a_query_that_reads_back) {
    toy::ListWidgets list;
    list.limit.value.value = 3;
    list.name_prefix = Text<1, 64>{"a&b c/é"};
    list.color = {toy::Color::red, toy::Color::operator_};
    list.weight_max = 0.5;
    const auto wire = write(toy::kListWidgets, list);
    EXPECT_EQ(
        wire.target,
        "/v1/widgets?limit=3&namePrefix=a%26b%20c%2F%C3%A9&color=red&color=operator&isSold=false"
        "&weightMax=0.5"
    );
    const auto parameters = parse_parameters(wire.target.substr(wire.target.find('?') + 1));
    const auto read_back = read(toy::kListWidgets, query(*parameters));
    ASSERT_TRUE(read_back) << read_back.error().detail;
    EXPECT_EQ(read_back->name_prefix, list.name_prefix);
    EXPECT_EQ(read_back->color, list.color);
}

TEST(WriteRequest, leaves_absent_members_out) {
    toy::CreateWidget widget;
    widget.name.value = "cog";
    widget.made_at = *parse_rfc3339("2026-01-02T03:04:05Z");
    const auto wire = write(toy::kCreateWidget, widget);
    EXPECT_EQ(
        wire.body,
        R"({"name":"cog","color":"green","size":{"widthMm":1},"madeAt":"2026-01-02T03:04:05Z",)"
        R"("isSold":false})"
    );
    EXPECT_TRUE(read(toy::kCreateWidget, json(wire.body)));
}

TEST(WriteRequest, writes_forms_and_bytes) {
    EXPECT_EQ(write(toy::kGrant, {"a b", {}}).body, "grant_type=a%20b");
    const auto wire = write(toy::kUploadImage, {*VmId::parse(kVm), "x.png", "\xFF"});
    EXPECT_EQ(wire.target, "/v1/widgets/" + kVm + "/image?fileName=x.png");
    EXPECT_EQ(wire.body, "\xFF");
}

TEST(Parameters, are_decoded_once) {
    const auto parameters = parse_parameters("a=%2525&&b&=c&d=1=2&e=%C3%A9");
    ASSERT_TRUE(parameters);
    EXPECT_THAT(
        *parameters,
        ElementsAre(
            std::pair{"a", "%25"},
            std::pair{"b", ""},
            std::pair{"", "c"},
            std::pair{"d", "1=2"},
            std::pair{"e", "é"}
        )
    );
}

TEST(Parameters, are_limited_in_number) {
    std::string text;
    for (int i = 0; i < 1001; ++i) text += "a=1&";
    EXPECT_EQ(parse_parameters(text).error().code, "request.malformed");
}

TEST(PercentEncoding, reverses_itself) {
    std::string bytes;
    for (int c = 1; c < 256; ++c) bytes += static_cast<char>(c);
    EXPECT_EQ(percent_decode(percent_encode(bytes)), bytes);
    EXPECT_EQ(percent_encode("a-Z.0_~"), "a-Z.0_~");
    EXPECT_EQ(percent_decode("%00"), std::nullopt);
}

}  // namespace
}  // namespace synapsex::api
