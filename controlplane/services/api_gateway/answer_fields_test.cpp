#include "controlplane/services/api_gateway/answer_fields.hpp"

#include <gmock/gmock.h>

#include "controlplane/platform/api/gzip.hpp"

namespace synapsex::api_gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class AnswerFieldsTest : public ::testing::Test {
 protected:
    AnswerFieldsTest() {
        operation.id = "test.list";
        operation.access = auth::signed_in();
    }
    // All values of a header.
    std::vector<std::string> values_of(const std::string& name) const {
        std::vector<std::string> values;
        for (const auto& [header, value] : reply.headers)
            if (header == name) values.push_back(value);
        return values;
    }
    void finish() { finish_answer(pages, terms, operation, reply); }

    CrossOrigin pages;
    AnswerTerms terms{.request_id = "req_1"};
    api::OperationInfo operation;
    api::Reply reply;
};

TEST_F(AnswerFieldsTest, what_needs_a_credential_is_kept_by_nobody) {
    finish();
    EXPECT_THAT(values_of("Cache-Control"), ElementsAre("no-store"));
    EXPECT_THAT(values_of("X-Request-Id"), ElementsAre("req_1"));
    EXPECT_THAT(values_of("traceparent"), IsEmpty());
}

TEST_F(AnswerFieldsTest, a_large_answer_is_packed_for_who_takes_it) {
    const std::string text(kPackedBytesMin, 'x');
    reply.body = text;
    finish();
    EXPECT_EQ(reply.body, text);
    EXPECT_THAT(values_of("Vary"), ElementsAre("Accept-Encoding")) << "for others it differs";
    EXPECT_THAT(values_of("Content-Encoding"), IsEmpty());

    reply.headers.clear();
    terms.takes_gzip = true;
    finish();
    EXPECT_THAT(values_of("Content-Encoding"), ElementsAre("gzip"));
    EXPECT_LT(reply.body.size(), 100U);
    EXPECT_EQ(api::gunzip(reply.body, text.size()).value(), text);
}

TEST_F(AnswerFieldsTest, nothing_else_is_packed) {
    terms.takes_gzip = true;
    const auto is_packed = [&] {
        reply.headers.clear();
        finish();
        return !values_of("Content-Encoding").empty();
    };
    reply.body.assign(kPackedBytesMin - 1, 'x');
    EXPECT_FALSE(is_packed()) << "small";
    reply.body.assign(kPackedBytesMin, 'x');
    reply.content_type = "application/x-protobuf";
    EXPECT_FALSE(is_packed()) << "an agent's";
    reply.content_type = "application/json";
    operation.runs = api::Runs::inline_;
    EXPECT_FALSE(is_packed()) << "on the I/O thread";
    operation.runs = api::Runs::pool;
    reply.headers.emplace_back("ETag", "\"1\"");
    finish();
    EXPECT_THAT(values_of("Content-Encoding"), IsEmpty()) << "its validator is of these bytes";
    EXPECT_TRUE(is_packed());
}

TEST_F(AnswerFieldsTest, what_lasts_is_sent_as_it_is_kept) {
    reply.lasting_body = "plain";
    terms.takes_gzip = true;
    finish();
    EXPECT_EQ(reply.bytes(), "plain");
    EXPECT_THAT(values_of("Vary"), IsEmpty());
    reply.lasting_gzip = "packed";
    finish();
    EXPECT_EQ(reply.bytes(), "packed");
    EXPECT_THAT(values_of("Content-Encoding"), ElementsAre("gzip"));
}

TEST_F(AnswerFieldsTest, an_operation_that_ends_says_so) {
    EXPECT_THAT(deprecation_headers({}), IsEmpty());
    operation.deprecation = {
        "2026-01-01T00:00:00Z", "2027-06-30T23:59:59Z", "/v1/vms"
    };
    finish();
    EXPECT_THAT(values_of("Deprecation"), ElementsAre("@1767225600"));
    EXPECT_THAT(values_of("Sunset"), ElementsAre("Wed, 30 Jun 2027 23:59:59 GMT"));
    EXPECT_THAT(values_of("Link"), ElementsAre("</v1/vms>; rel=\"successor-version\""));
    EXPECT_THAT(
        deprecation_headers({.since = "2026-01-01T00:00:00Z"}),
        ElementsAre(Pair("Deprecation", "@1767225600"))
    );
}

TEST_F(AnswerFieldsTest, pages_of_named_origins_may_read_it) {
    pages = CrossOrigin{{"https://a.example", "https://b.example"}};
    http::RequestHead head;
    EXPECT_EQ(pages.origin_of(head), "");
    head.headers = {{"origin", "https://c.example"}};
    EXPECT_EQ(pages.origin_of(head), "");
    finish();
    EXPECT_THAT(values_of("Vary"), ElementsAre("Origin"));
    EXPECT_THAT(values_of("Access-Control-Allow-Origin"), IsEmpty());

    head.headers = {{"origin", "https://b.example"}};
    terms.origin = pages.origin_of(head);
    reply.headers.clear();
    finish();
    EXPECT_THAT(values_of("Access-Control-Allow-Origin"), ElementsAre("https://b.example"));
    EXPECT_THAT(
        values_of("Access-Control-Expose-Headers"),
        ElementsAre(::testing::HasSubstr("X-Request-Id"))
    );
    EXPECT_THAT(values_of("Access-Control-Allow-Credentials"), IsEmpty());
}

TEST_F(AnswerFieldsTest, a_browser_is_told_ahead_what_a_page_may_send) {
    const auto ahead_of = [&](const std::string& origin, const std::string& method) {
        http::RequestHead head;
        head.headers = {{"origin", origin}};
        if (!method.empty()) head.headers.emplace_back("access-control-request-method", method);
        reply.headers.clear();
        pages.allow_ahead(head, "GET, HEAD, OPTIONS", reply);
        return values_of("Access-Control-Allow-Methods");
    };
    EXPECT_THAT(ahead_of("https://a.example", "GET"), IsEmpty()) << "no origin is named";
    pages = CrossOrigin{{"*"}};
    EXPECT_THAT(ahead_of("https://a.example", "GET"), ElementsAre("GET, HEAD, OPTIONS"));
    EXPECT_THAT(
        values_of("Access-Control-Allow-Headers"),
        ElementsAre(::testing::HasSubstr("Authorization"))
    );
    EXPECT_THAT(ahead_of("https://a.example", ""), IsEmpty()) << "no question of a browser";
    pages.allow("https://a.example", reply);
    EXPECT_THAT(values_of("Access-Control-Allow-Origin"), ElementsAre("*"));
}

}  // namespace
}  // namespace synapsex::api_gateway
