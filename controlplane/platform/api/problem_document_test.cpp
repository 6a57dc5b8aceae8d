#include "controlplane/platform/api/problem_document.hpp"

#include <gmock/gmock.h>

#include "controlplane/platform/api/router.hpp"

namespace synapsex::api {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using Header = std::pair<std::string, std::string>;

TEST(ProblemReply, carries_status_headers_and_retry_after) {
    const Problem problem{
        .kind = Kind::unavailable,
        .code = "database.busy",
        .detail = "Too busy.",
        .retry_after = std::chrono::seconds{3},
        .headers = {{"X-Extra", "1"}},
    };
    const auto reply = problem_reply(problem, "req_1");
    EXPECT_EQ(reply.status, 503);
    EXPECT_THAT(reply.headers, ElementsAre(Header{"X-Extra", "1"}, Header{"Retry-After", "3"}));
}

TEST(ProblemReply, asks_for_a_bearer_token_unless_told_otherwise) {
    Problem problem{.kind = Kind::unauthenticated, .code = "auth.credential_missing", .detail = ""};
    EXPECT_THAT(
        problem_reply(problem, "").headers, ElementsAre(Header{"WWW-Authenticate", "Bearer"})
    );
    problem.headers = {{"www-authenticate", "Bearer error=\"invalid_token\""}};
    EXPECT_EQ(problem_reply(problem, "").headers.size(), 1U);
}

TEST(ProblemReply, has_a_status_for_every_kind) {
    EXPECT_EQ(http_status(Kind::invalid), 400);
    EXPECT_EQ(http_status(Kind::not_found), 404);
    EXPECT_EQ(http_status(Kind::precondition_required), 428);
    EXPECT_EQ(http_status(Kind::header_too_large), 431);
    EXPECT_EQ(http_status(Kind::deadline_exceeded), 504);
    EXPECT_EQ(http_title(Kind::unprocessable), "Unprocessable Content");
    for (int i = 0; i <= static_cast<int>(Kind::deadline_exceeded); ++i) {
        const auto kind = static_cast<Kind>(i);
        EXPECT_EQ(kind_of_status(http_status(kind)), kind);
    }
    EXPECT_EQ(kind_of_status(418), Kind::invalid);
    EXPECT_EQ(kind_of_status(502), Kind::internal);
}

TEST(ProblemReply, is_read_back_by_the_client) {
    const Problem problem{
        .kind = Kind::conflict,
        .code = "tenants.slug_taken",
        .detail = "Taken.",
        .errors = {{"/slug", "taken", "is taken"}},
    };
    const auto reply = problem_reply(problem, "req_7");
    const auto read_back = parse_problem(reply.status, reply.body);
    EXPECT_EQ(read_back.kind, Kind::conflict);
    EXPECT_EQ(read_back.code, problem.code);
    EXPECT_EQ(read_back.detail, problem.detail);
    EXPECT_EQ(read_back.errors, problem.errors);
    EXPECT_THAT(read_back.headers, Contains(Header{"X-Request-Id", "req_7"}));
}

TEST(ProblemReply, of_a_proxy_becomes_a_stand_in) {
    const auto problem = parse_problem(502, "<html>Bad Gateway</html>");
    EXPECT_EQ(problem.kind, Kind::internal);
    EXPECT_EQ(problem.code, "http.502");
}

TEST(ProblemReply, lists_at_most_fifty_errors) {
    Problem problem{.kind = Kind::invalid, .code = "x", .detail = ""};
    problem.errors.resize(60);
    const auto reply = problem_reply(problem, "");
    EXPECT_EQ(parse_problem(400, reply.body).errors.size(), 50U);
}

}  // namespace
}  // namespace synapsex::api
