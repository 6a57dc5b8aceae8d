// Real HTTP against a control plane that takes one key and refuses others as the real one does.

#include "agent/app/authentication_trial.hpp"

#include <gmock/gmock.h>

#include "agent/worker/test_parts.hpp"
#include "shared/net/curl_http_client.hpp"
#include "tests/support/fake_control_plane.hpp"

namespace synapsex::agent {
namespace {

using synapsex::testing::FakeControlPlane;
using Outcome = ConnectionStep::Outcome;
using ::testing::HasSubstr;
using ::testing::Not;

class AuthenticationTrial : public ::testing::Test {
 protected:
    using Answers = std::vector<std::optional<FakeControlPlane::Answer>>;

    static FakeControlPlane::Answer refusal(
        const std::string& code, std::vector<std::string> headers = {}
    ) {
        return {401, R"({"code":")" + code + R"(","detail":"No."})", std::move(headers)};
    }
    // One answer after another to those who ask for a token; nullopt gives one.
    void answer(Answers answers) {
        asked_ = 0;
        server_.set_script([this, answers = std::move(answers)](const auto& request) {
            if (request.path != "/v1/auth/token") return std::optional<FakeControlPlane::Answer>{};
            return answers.at(asked_++);
        });
    }
    ConnectionStep try_it() {
        const auto identity = testing::identity_at(server_.url(), FakeControlPlane::kAgentId);
        return try_authentication(identity, keys_, http_, clock_, random_);
    }

    FakeControlPlane server_;
    SystemClock clock_;
    SystemRandom random_;
    net::CurlHttpClient http_{{}};
    AgentKeys keys_{crypto::Ed25519Key::generate(random_)};
    std::size_t asked_ = 0;
};

TEST_F(AuthenticationTrial, is_fine_by_the_current_key) {
    answer({std::nullopt});
    const auto step = try_it();
    EXPECT_EQ(step.outcome, Outcome::ok);
    EXPECT_THAT(step.detail, Not(HasSubstr("agent.key")));
}

TEST_F(AuthenticationTrial, tries_the_next_and_the_former_key_as_the_agent_does) {
    keys_.next = crypto::Ed25519Key::generate(random_);
    keys_.former = crypto::Ed25519Key::generate(random_);
    answer({refusal("auth.key_replaced"), std::nullopt});
    auto step = try_it();
    EXPECT_EQ(step.outcome, Outcome::ok);
    EXPECT_THAT(step.detail, HasSubstr("by the key of agent.key.next"));

    answer({refusal("auth.assertion_bad_signature"), refusal("auth.assertion_bad_signature"),
            std::nullopt});
    step = try_it();
    EXPECT_EQ(step.outcome, Outcome::ok);
    EXPECT_THAT(step.detail, HasSubstr("by the key of agent.key.former"));
}

TEST_F(AuthenticationTrial, tells_what_was_said_of_the_newest_key_once_all_are_refused) {
    keys_.former = crypto::Ed25519Key::generate(random_);
    answer({refusal("auth.key_replaced"), refusal("auth.assertion_bad_signature")});
    const auto step = try_it();
    EXPECT_EQ(step.outcome, Outcome::failed);
    EXPECT_THAT(step.detail, HasSubstr("auth.key_replaced"));
    EXPECT_THAT(step.advice, HasSubstr("new enrollment token"));
    EXPECT_EQ(asked_, 2U);
}

TEST_F(AuthenticationTrial, asks_with_no_other_key_where_the_agent_was_removed) {
    keys_.next = crypto::Ed25519Key::generate(random_);
    answer({refusal("auth.agent_revoked")});
    const auto step = try_it();
    EXPECT_EQ(step.outcome, Outcome::failed);
    EXPECT_EQ(asked_, 1U);
}

TEST_F(AuthenticationTrial, asks_again_by_the_servers_clock) {
    const std::vector<std::string> time{"X-Server-Time: 2031-01-02T03:04:05Z"};
    answer({refusal("auth.assertion_skewed", time), std::nullopt});
    EXPECT_EQ(try_it().outcome, Outcome::ok);
}

TEST_F(AuthenticationTrial, says_what_a_control_plane_in_trouble_is_like) {
    answer({FakeControlPlane::Answer{503, R"({"code":"database.busy","detail":"Later."})"}});
    const auto step = try_it();
    EXPECT_EQ(step.outcome, Outcome::failed);
    EXPECT_THAT(step.detail, HasSubstr("database.busy: Later."));
    EXPECT_THAT(step.advice, HasSubstr("/readyz"));
}

}  // namespace
}  // namespace synapsex::agent
