#include "agent/transport/control_plane.hpp"

#include <deque>

#include <gmock/gmock.h>

#include "shared/crypto/hash.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Answers what it was told to, and remembers what it was asked.
class ScriptedHttp final : public net::HttpClient {
 public:
    Result<net::HttpResponse> send(const net::HttpRequest& request) override {
        requests.push_back(request);
        auto answer = std::move(answers.front());
        answers.pop_front();
        return answer;
    }
    void pin_authorities(std::vector<std::string>) override {}
    std::vector<std::string> pinned_authorities() const override { return {}; }
    void cancel() override {}
    void resume() override {}

    std::deque<Result<net::HttpResponse>> answers;
    std::vector<net::HttpRequest> requests;
};

class ControlPlaneTest : public ::testing::Test {
 protected:
    void will_answer(int status, std::string body, std::vector<net::HttpHeader> headers = {}) {
        http_.answers.push_back(net::HttpResponse{status, std::move(headers), std::move(body)});
    }
    static std::string header(const net::HttpRequest& request, std::string_view name) {
        for (const auto& each : request.headers)
            if (each.name == name) return each.value;
        return {};
    }

    ScriptedHttp http_;
    ControlPlane control_plane_{http_, "https://sx.test"};
    AgentId agent_ = *AgentId::parse("agt_01hv3x8k2m4n6p8q0r2s4t6v8w");
};

TEST_F(ControlPlaneTest, enrolls_and_keeps_the_issuer_the_server_names) {
    will_answer(201, R"({"agentId":"agt_01hv3x8k2m4n6p8q0r2s4t6v8w",
        "vmId":"vm_01hv3x8k2m4n6p8q0r2s4t6v8w","tenantId":"ten_01hv3x8k2m4n6p8q0r2s4t6v8w",
        "serverIncarnation":"inc-1","issuer":"https://issuer.test","later":true,
        "authorityPins":["of-the-servers-choice"],"trustRoot":"of-the-servers-choice"})");
    const auto identity = control_plane_.enroll({"sxe_a.b", "web-1", "key", "boot", "0.1.0"});
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->issuer, "https://issuer.test");
    EXPECT_TRUE(identity->authority_pins.empty()) << "the server has no say in that";
    EXPECT_EQ(identity->trust_root, "");
    EXPECT_EQ(identity->url, "https://sx.test");
    EXPECT_EQ(http_.requests[0].url, "https://sx.test/v1/agents/enroll");
    EXPECT_EQ(http_.requests[0].body,
              R"({"token":"sxe_a.b","name":"web-1","publicKey":"key","bootId":"boot",)"
              R"("agentVersion":"0.1.0","platform":"linux"})");
}

TEST_F(ControlPlaneTest, takes_no_identity_whose_id_is_no_id) {
    will_answer(201, R"({"agentId":"../../etc","vmId":"vm_01hv3x8k2m4n6p8q0r2s4t6v8w",
        "tenantId":"ten_01hv3x8k2m4n6p8q0r2s4t6v8w"})");
    const auto identity = control_plane_.enroll({});
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().kind, CallFailure::Kind::unreadable);
}

TEST_F(ControlPlaneTest, reads_what_a_refusal_says_about_time) {
    will_answer(401, R"({"code":"auth.assertion_skewed","detail":"Your clock is off."})",
                {{"X-Server-Time", "2026-01-02T03:04:05Z"}, {"Retry-After", "9"}});
    const auto token = control_plane_.fetch_token("assertion");
    ASSERT_FALSE(token);
    EXPECT_EQ(token.error().code, "auth.assertion_skewed");
    EXPECT_EQ(token.error().server_time, parse_rfc3339("2026-01-02T03:04:05Z"));
    EXPECT_EQ(token.error().retry_after, 9s);
}

TEST_F(ControlPlaneTest, understands_refusals_that_are_no_problem_documents) {
    will_answer(
        502, "<html>Bad Gateway</html>", {{"Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"}}
    );
    const auto token = control_plane_.fetch_token("assertion");
    ASSERT_FALSE(token);
    EXPECT_EQ(token.error().status, 502);
    EXPECT_EQ(token.error().retry_after, std::nullopt);
}

TEST_F(ControlPlaneTest, takes_no_token_that_could_break_a_header) {
    will_answer(200, R"({"access_token":"a\r\nX-Evil: 1","expires_in":900})");
    EXPECT_FALSE(control_plane_.fetch_token("assertion"));
}

TEST_F(ControlPlaneTest, takes_no_token_that_would_have_to_be_fetched_again_at_once) {
    for (const auto* lifetime : {"0", "-1", "29", "900.5", "\"900\""}) {
        will_answer(200, std::string{R"({"access_token":"a","expires_in":)"} + lifetime + "}");
        const auto token = control_plane_.fetch_token("assertion");
        ASSERT_FALSE(token) << lifetime;
        EXPECT_EQ(token.error().kind, CallFailure::Kind::unreadable) << lifetime;
    }
    will_answer(200, R"({"access_token":"a","expires_in":30})");
    EXPECT_EQ(control_plane_.fetch_token("assertion")->lifetime, 30s);
}

TEST_F(ControlPlaneTest, takes_only_what_looks_like_a_code_for_one) {
    const std::string longest(64, 'a');
    for (const auto& code : {std::string{"auth.unknown_key2"}, longest}) {
        will_answer(401, R"({"code":")" + code + R"("})");
        EXPECT_EQ(control_plane_.fetch_token("assertion").error().code, code);
    }
    for (const auto& code :
         {longest + "a", std::string{"\\u001b[2J"}, std::string{"a b"}, std::string{"AUTH"}}) {
        will_answer(401, R"({"code":")" + code + R"("})");
        EXPECT_EQ(control_plane_.fetch_token("assertion").error().code, "") << code;
    }
}

TEST_F(ControlPlaneTest, compresses_large_bodies_alone_and_waits_longer_than_the_hold) {
    will_answer(200, "");
    will_answer(200, "");
    Heartbeat heartbeat{.sequence = 1, .hold = 55s};
    ASSERT_TRUE(control_plane_.send_heartbeat(agent_, "token", heartbeat));
    EXPECT_EQ(header(http_.requests[0], "Content-Encoding"), "");
    EXPECT_EQ(header(http_.requests[0], "Authorization"), "Bearer token");
    EXPECT_GT(http_.requests[0].timeout, 55s);
    heartbeat.boot_id = std::string(5000, 'b');
    ASSERT_TRUE(control_plane_.send_heartbeat(agent_, "token", heartbeat));
    EXPECT_EQ(header(http_.requests[1], "Content-Encoding"), "gzip");
    EXPECT_LT(http_.requests[1].body.size(), 200U);
}

TEST_F(ControlPlaneTest, does_not_wait_long_for_a_goodbye) {
    will_answer(200, "");
    ASSERT_TRUE(control_plane_.send_heartbeat(agent_, "token", {.goodbye = "stopping"}));
    EXPECT_EQ(http_.requests[0].timeout, 2s);
}

TEST_F(ControlPlaneTest, tells_a_cut_from_an_outage) {
    http_.answers.push_back(Problem{.code = std::string{net::kClosed}, .detail = {}});
    http_.answers.push_back(Problem{.code = std::string{net::kUnreachable}, .detail = {}});
    EXPECT_EQ(control_plane_.fetch_token("a").error().kind, CallFailure::Kind::cut);
    EXPECT_EQ(control_plane_.fetch_token("a").error().kind, CallFailure::Kind::unreachable);
}

TEST(Assertion, is_a_jwt_that_the_agents_public_key_verifies) {
    testing::SeededRandom random;
    const auto key = crypto::Ed25519Key::generate(random);
    const auto jwt = sign_assertion(
        {"agt_1", "https://issuer.test", *parse_rfc3339("2026-01-02T03:04:05.9Z")}, key, random
    );
    const auto dot = jwt.rfind('.');
    const auto first_dot = jwt.find('.');
    EXPECT_TRUE(crypto::verify_ed25519(
        key.public_key(), jwt.substr(0, dot), *crypto::from_base64url(jwt.substr(dot + 1))
    ));
    EXPECT_EQ(*crypto::from_base64url(jwt.substr(0, first_dot)), R"({"alg":"EdDSA","typ":"JWT"})");
    const auto claims = *crypto::from_base64url(jwt.substr(first_dot + 1, dot - first_dot - 1));
    EXPECT_THAT(claims, HasSubstr(R"("iss":"agt_1","sub":"agt_1","aud":"https://issuer.test")"));
    EXPECT_THAT(claims, HasSubstr(R"("iat":1767323045,"exp":1767323105)"));
}

}  // namespace
}  // namespace synapsex::agent
