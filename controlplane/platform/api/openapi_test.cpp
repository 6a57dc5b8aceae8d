#include "controlplane/platform/api/openapi.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "controlplane/platform/api/schema.hpp"
#include "controlplane/platform/api/toy_api.hpp"

namespace synapsex::api {
namespace {

namespace json = boost::json;

template <class Request, class Response>
void mount(Router& router, const Operation<Request, Response>& operation) {
    router.mount(operation, [](const Call&, const Request&) {
        return Result<Response>{Response{}};
    });
}

void mount_first_half(Router& router) {
    mount(router, toy::kListWidgets);
    mount(router, toy::kCreateWidget);
    mount(router, toy::kGetWidget);
    mount(router, toy::kPatchWidget);
    mount(router, toy::kRemoveWidget);
}

void mount_second_half(Router& router) {
    mount(router, toy::kSellWidget);
    mount(router, toy::kUploadImage);
    mount(router, toy::kBeat);
    mount(router, toy::kGrant);
    mount(router, toy::kPlant);
}

constexpr std::array kTags{
    OpenApiTag{"oauth", "Tokens."},
    OpenApiTag{"trees", "Trees, which branch."},
    OpenApiTag{"unused", "Nobody needs it."},
    OpenApiTag{"widgets", "Widgets of all colors."},
};
constexpr OpenApiInfo kInfo{"1.2.3", "https://api.synapsex.ai", kTags};

class OpenApi : public ::testing::Test {
 protected:
    OpenApi() {
        mount_first_half(router);
        mount_second_half(router);
        text = openapi_document(router, kInfo);
        document = json::parse(text);
    }
    std::string at(const std::string& pointer) const {
        json::error_code error;
        const auto* value = document.find_pointer(pointer, error);
        return value ? json::serialize(*value) : "nothing";
    }

    Router router;
    std::string text;
    json::value document;
};

TEST_F(OpenApi, does_not_depend_on_the_order_of_mounting) {
    Router other;
    mount_second_half(other);
    mount_first_half(other);
    EXPECT_EQ(openapi_document(other, kInfo), text);
}

TEST_F(OpenApi, says_who_may_call) {
    EXPECT_EQ(at("/paths/~1v1~1trees/post/security"), "[]");
    EXPECT_EQ(at("/paths/~1v1~1widgets/post/security"), R"([{"bearer":[]},{"apiKey":[]}])");
    EXPECT_EQ(at("/paths/~1v1~1widgets/post/x-synapsex-scope"), R"("vms.read")");
    EXPECT_EQ(
        at("/paths/~1v1~1widgets/post/description"),
        R"("Create a widget.\n\nNeeds the scope `vms.read`, which the role viewer has.")"
    );
}

TEST_F(OpenApi, says_what_is_closed_to_api_keys) {
    const std::string sale = "/paths/~1v1~1sales~1{widget_id}/post";
    EXPECT_EQ(at(sale + "/security"), R"([{"userToken":[]}])");
    EXPECT_THAT(at(sale + "/description"), ::testing::HasSubstr("No API key may."));
    EXPECT_NE(at("/components/securitySchemes/userToken"), "nothing");
}

TEST_F(OpenApi, says_401_where_the_body_proves_who_calls) {
    EXPECT_EQ(at("/paths/~1v1~1oauth~1token/post/security"), "[]");
    EXPECT_EQ(
        at("/paths/~1v1~1oauth~1token/post/responses/401"),
        R"({"$ref":"#/components/responses/Unauthorized"})"
    );
}

TEST_F(OpenApi, lists_only_tags_that_are_used) {
    EXPECT_EQ(
        at("/tags"),
        R"([{"name":"oauth","description":"Tokens."},)"
        R"({"name":"trees","description":"Trees, which branch."},)"
        R"({"name":"widgets","description":"Widgets of all colors."}])"
    );
}

TEST_F(OpenApi, wants_a_description_of_every_tag) {
    EXPECT_THROW(openapi_document(router, {"1", "https://x", {}}), std::logic_error);
}

TEST_F(OpenApi, describes_query_parameters) {
    EXPECT_EQ(
        at("/paths/~1v1~1widgets/get/parameters/0"),
        R"({"name":"limit","in":"query","description":"At most so many items.",)"
        R"("schema":{"type":"integer","minimum":1,"maximum":100,"default":50},"example":20})"
    );
    EXPECT_EQ(
        at("/paths/~1v1~1widgets/get/parameters/2"),
        R"({"name":"color","in":"query","required":false,"schema":{"type":"array",)"
        R"("items":{"type":"string","enum":["red","green","operator"]},"maxItems":3}})"
    );
}

TEST_F(OpenApi, names_path_parameters_as_the_path_does) {
    EXPECT_EQ(at("/paths/~1v1~1sales~1{widget_id}/post/parameters/0/name"), R"("widget_id")");
    EXPECT_EQ(
        at("/paths/~1v1~1widgets~1{widgetId}/get/parameters/0"),
        R"({"name":"widgetId","in":"path","required":true,"schema":{"type":"string",)"
        R"("pattern":"^vm_[0-7][0-9a-hjkmnp-tv-z]{25}$"}})"
    );
}

TEST_F(OpenApi, requires_of_requests_what_has_no_default) {
    EXPECT_EQ(at("/components/schemas/CreateWidget/required"), R"(["name","size"])");
    EXPECT_EQ(at("/components/schemas/CreateWidget/additionalProperties"), "false");
    EXPECT_EQ(at("/components/schemas/CreateWidget/description"), R"("A widget to be made.")");
    EXPECT_EQ(
        at("/components/schemas/CreateWidget/properties/name"),
        R"({"type":"string","minLength":1,"maxLength":8,"pattern":")"
        R"(^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*)"
        R"([^\\u0000-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a)"
        R"(\\u2028\\u2029\\u202f\\u205f\\u3000])"
        R"([^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$)"
        R"(","description":"What people call it.","examples":["cog"]})"
    );
    EXPECT_EQ(
        at("/components/schemas/PatchWidget/properties"),
        R"({"name":{"type":["string","null"],"minLength":1,"maxLength":8},)"
        R"("note":{"type":["string","null"],"maxLength":65536}})"
    );
}

TEST_F(OpenApi, promises_every_member_of_an_answer) {
    EXPECT_EQ(at("/components/schemas/WidgetPage/required"), R"(["items","nextCursor"])");
    EXPECT_EQ(
        at("/components/schemas/WidgetPage/properties/nextCursor/type"), R"(["string","null"])"
    );
    EXPECT_EQ(at("/components/schemas/WidgetPage/additionalProperties"), "nothing");
}

TEST_F(OpenApi, tells_a_struct_that_is_read_from_one_that_is_written) {
    EXPECT_EQ(at("/components/schemas/SizeInput/required"), R"(["widthMm"])");
    EXPECT_EQ(at("/components/schemas/Size/required"), R"(["widthMm","heightMm"])");
    EXPECT_EQ(
        at("/components/schemas/CreateWidget/properties/size"),
        R"({"$ref":"#/components/schemas/SizeInput","description":"Outer measures."})"
    );
}

TEST_F(OpenApi, allows_unknown_keys_where_the_operation_does) {
    EXPECT_EQ(at("/components/schemas/Grant/additionalProperties"), "nothing");
}

TEST_F(OpenApi, describes_bodies_by_their_media_type) {
    const auto schema = [](std::string_view name) {
        return R"({"schema":{"$ref":"#/components/schemas/)" + std::string{name} + "\"}}";
    };
    EXPECT_EQ(
        at("/paths/~1v1~1oauth~1token/post/requestBody/content"),
        R"({"application/x-www-form-urlencoded":)" + schema("Grant") + "}"
    );
    EXPECT_EQ(
        at("/paths/~1v1~1widgets~1{widgetId}~1beat/post/requestBody/content"),
        R"({"application/json":)" + schema("BeatInput") + R"(,"application/x-protobuf":{}})"
    );
    EXPECT_EQ(at("/paths/~1v1~1sales~1{widget_id}/post/requestBody/required"), "false");
    EXPECT_EQ(
        at("/paths/~1v1~1widgets~1{widgetId}~1image/put/requestBody/content"),
        R"({"application/octet-stream":{"schema":{}}})"
    );
}

TEST_F(OpenApi, describes_success_and_problems) {
    EXPECT_EQ(
        at("/paths/~1v1~1widgets~1{widgetId}/delete/responses/204"), R"({"description":"Done."})"
    );
    EXPECT_EQ(
        at("/paths/~1v1~1widgets~1{widgetId}/get/responses/404"),
        R"({"$ref":"#/components/responses/NotFound"})"
    );
    EXPECT_EQ(at("/paths/~1v1~1trees/post/responses/401"), "nothing");
}

TEST(ComponentName, is_the_type_without_namespaces) {
    EXPECT_EQ(component_name("synapsex::tenant::Tenant"), "Tenant");
    EXPECT_EQ(component_name("synapsex::api::Page<synapsex::tenant::Tenant>"), "TenantPage");
    EXPECT_EQ(component_name("a::Pair<b::One, c::Box<d::Two> >"), "OneTwoBoxPair");
    EXPECT_EQ(component_name("(anonymous namespace)::Thing"), "Thing");
}

TEST(PrettyJson, keeps_strings_and_empty_containers) {
    EXPECT_EQ(
        pretty_json(R"({"a":[1,{"b":"x,{\"}:"}],"c":{},"d":[]})"),
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x,{\\\"}:\"\n    }\n  ],\n  \"c\": {},\n"
        "  \"d\": []\n}\n"
    );
}

}  // namespace
}  // namespace synapsex::api
