// The first enrollment, and when an agent that has an identity enrolls again.

#include "agent/worker/enroller.hpp"

#include <gmock/gmock.h>

#include "agent/worker/files.hpp"
#include "agent/worker/identity_store.hpp"
#include "agent/worker/test_parts.hpp"
#include "shared/net/curl_http_client.hpp"
#include "tests/support/fake_control_plane.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using synapsex::testing::FakeControlPlane;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Enrolling : public ::testing::Test {
 protected:
    void put_token(std::string_view text) {
        ASSERT_TRUE(write_file_atomically(token_file_, text, FileDurability::cached));
    }
    Result<Identity> enroll() {
        Enroller enroller{http_, random_, stop_};
        return enroller.enroll(
            {.url = server_.url(),
             .token_file = token_file_,
             .name = "web-1",
             .boot_id = "boot-1",
             .agent_version = "0.1.0"},
            store_
        );
    }

    FakeControlPlane server_;
    synapsex::testing::TemporaryFolder folder_;
    std::filesystem::path token_file_ = folder_.path() / "token";
    IdentityStore store_{folder_.path()};
    SystemRandom random_;
    StopSignal stop_;
    net::CurlHttpClient http_{{}};
};

TEST_F(Enrolling, happens_once_and_leaves_no_token_behind) {
    put_token(FakeControlPlane::kToken);
    const auto identity = enroll();
    ASSERT_TRUE(identity) << identity.error().detail;
    EXPECT_EQ(identity->agent_id.text(), FakeControlPlane::kAgentId);
    EXPECT_EQ(identity->issuer, "https://issuer.test");
    EXPECT_FALSE(std::filesystem::exists(token_file_));
    EXPECT_EQ(**store_.find_identity(), *identity);
    EXPECT_EQ(server_.enrollments(), 1);
}

TEST_F(Enrolling, survives_a_server_that_is_not_ready_yet) {
    put_token(FakeControlPlane::kToken);
    int refusals = 2;
    server_.set_script([&](const FakeControlPlane::Request&) {
        std::optional<FakeControlPlane::Answer> answer;
        if (refusals-- > 0) answer = {503, "", {"Retry-After: 0"}};
        return answer;
    });
    EXPECT_TRUE(enroll());
}

TEST_F(Enrolling, ends_with_a_sentence_when_the_token_is_wrong) {
    auto wrong = std::string{FakeControlPlane::kToken};
    wrong.back() = 'x';
    put_token(wrong + "\n");
    const auto identity = enroll();
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().code, "agent.not_enrolled");
    EXPECT_THAT(identity.error().detail, HasSubstr("No such token."));
    EXPECT_TRUE(std::filesystem::exists(token_file_));
}

TEST_F(Enrolling, a_token_that_was_cut_off_asks_nobody) {
    auto cut = std::string{FakeControlPlane::kToken};
    cut.pop_back();
    put_token(cut);
    const auto identity = enroll();
    ASSERT_FALSE(identity);
    EXPECT_THAT(identity.error().detail, HasSubstr("is no whole enrollment token"));
    EXPECT_EQ(server_.enrollments(), 0);
}

TEST_F(Enrolling, what_the_token_says_beyond_its_secret_is_for_the_agent_alone) {
    const std::string pin = std::string(42, 'p') + 'A';
    const std::string root = std::string(42, 'r') + 'E';
    put_token(
        std::string{FakeControlPlane::kToken} + "." + pin + "." + root
    );
    const auto identity = enroll();
    ASSERT_TRUE(identity) << identity.error().detail;
    EXPECT_THAT(identity->authority_pins, ElementsAre(pin));
    EXPECT_EQ(identity->trust_root, root);
    EXPECT_EQ(**store_.find_identity(), *identity);
}

class EnrollingAgain : public ::testing::Test {
 protected:
    void put_token(std::string_view text) {
        ASSERT_TRUE(write_file_atomically(token_file_, text, FileDurability::cached));
    }
    void answer(int status, std::string body) {
        server_.set_script([status, body](const FakeControlPlane::Request& request) {
            std::optional<FakeControlPlane::Answer> answer;
            if (request.path == "/v1/auth/token") answer.emplace(status, body);
            return answer;
        });
    }
    void refuse(int status, const std::string& code) {
        answer(status, R"({"code":")" + code + R"(","detail":"No."})");
    }
    bool is_to_enroll_again() {
        const auto identity = testing::identity_at(server_.url(), FakeControlPlane::kAgentId);
        EnrollmentWish wish;
        wish.url = server_.url();
        wish.token_file = token_file_;
        Enroller enroller{http_, random_, stop_};
        again_ = enroller.is_to_enroll_again(wish, identity, keys_, clock_);
        return again_ != Enroller::Again::no;
    }

    FakeControlPlane server_;
    synapsex::testing::TemporaryFolder folder_;
    std::filesystem::path token_file_ = folder_.path() / "token";
    SystemClock clock_;
    SystemRandom random_;
    StopSignal stop_;
    net::CurlHttpClient http_{{}};
    AgentKeys keys_{crypto::Ed25519Key::generate(random_)};
    Enroller::Again again_ = Enroller::Again::no;
};

TEST_F(EnrollingAgain, takes_a_token_and_a_control_plane_that_has_forgotten_the_agent) {
    put_token("sxe_new.secret\n");
    refuse(401, "auth.unknown_key");
    EXPECT_TRUE(is_to_enroll_again());
    refuse(401, "auth.agent_revoked");
    EXPECT_TRUE(is_to_enroll_again());
}

TEST_F(EnrollingAgain, is_done_with_another_key_where_its_own_was_replaced) {
    put_token("sxe_new.secret");
    refuse(401, "auth.key_replaced");
    EXPECT_TRUE(is_to_enroll_again());
    EXPECT_EQ(again_, Enroller::Again::with_another_key);
    refuse(401, "auth.unknown_key");
    EXPECT_TRUE(is_to_enroll_again());
    EXPECT_EQ(again_, Enroller::Again::with_its_key);
}

TEST_F(EnrollingAgain, is_not_done_while_one_of_its_keys_counts) {
    put_token("sxe_new.secret");
    keys_.next = crypto::Ed25519Key::generate(random_);
    int asked = 0;
    server_.set_script([&asked](const FakeControlPlane::Request& request) {
        std::optional<FakeControlPlane::Answer> answer;
        if (request.path == "/v1/auth/token" && ++asked == 1)
            answer.emplace(401, R"({"code":"auth.key_replaced","detail":"No."})");
        return answer;
    });
    EXPECT_FALSE(is_to_enroll_again());
    EXPECT_EQ(asked, 2);
}

TEST_F(EnrollingAgain, is_not_done_while_an_outage_hides_whether_one_of_its_keys_counts) {
    put_token("sxe_new.secret");
    keys_.next = crypto::Ed25519Key::generate(random_);
    int asked = 0;
    server_.set_script([&asked](const FakeControlPlane::Request& request) {
        std::optional<FakeControlPlane::Answer> answer;
        if (request.path != "/v1/auth/token") return answer;
        if (++asked == 1) answer.emplace(401, R"({"code":"auth.key_replaced","detail":"No."})");
        else answer.emplace(503, R"({"code":"database.busy","detail":"Later."})");
        return answer;
    });
    EXPECT_FALSE(is_to_enroll_again());
    EXPECT_EQ(asked, 2);
}

TEST_F(EnrollingAgain, is_not_done_without_a_token) {
    refuse(401, "auth.unknown_key");
    EXPECT_FALSE(is_to_enroll_again());
    put_token(" \n");
    EXPECT_FALSE(is_to_enroll_again());
}

TEST_F(EnrollingAgain, is_not_done_while_the_control_plane_knows_the_agent) {
    put_token("sxe_new.secret");
    EXPECT_FALSE(is_to_enroll_again());
}

TEST_F(EnrollingAgain, is_not_done_for_an_outage_a_wrong_clock_or_somebody_elses_answer) {
    put_token("sxe_new.secret");
    for (const auto* code : {"auth.assertion_skewed", "auth.assertion_expired",
                             "auth.assertion_malformed", "auth.assertion_bad_signature"}) {
        refuse(401, code);
        EXPECT_FALSE(is_to_enroll_again()) << code;
    }
    refuse(503, "database.busy");
    EXPECT_FALSE(is_to_enroll_again());
    for (const int status : {200, 302, 401, 404, 502}) {
        answer(status, "<html>Sign in to the network</html>");
        EXPECT_FALSE(is_to_enroll_again()) << status;
    }
    server_.stop();
    EXPECT_FALSE(is_to_enroll_again());
}

// What a token may do to the trust root of a VM that has pinned one.
class EnrollingWithRoot : public EnrollingAgain {
 protected:
    // Empty for what was refused; then the control plane has not been asked.
    std::string root_after_token_of(const std::string& root) {
        put_token(std::string{FakeControlPlane::kToken} + (root.empty() ? "" : ".." + root));
        wish_.url = server_.url();
        wish_.token_file = token_file_;
        const auto asked_before = server_.enrollments();
        Enroller enroller{http_, random_, stop_};
        const auto identity = enroller.enroll(wish_, store_);
        if (!identity) {
            refusal_ = identity.error().detail;
            EXPECT_EQ(server_.enrollments(), asked_before);
            EXPECT_TRUE(std::filesystem::exists(token_file_));
            return {};
        }
        EXPECT_EQ((**store_.find_identity()).trust_root, identity->trust_root);
        return "root " + identity->trust_root;
    }

    const std::string ours_ = std::string(42, 'o') + 'E';
    const std::string other_ = std::string(42, 'x') + 'E';
    IdentityStore store_{folder_.path()};
    EnrollmentWish wish_;
    std::string refusal_;
};

TEST_F(EnrollingWithRoot, takes_the_first_one_that_a_token_brings) {
    EXPECT_EQ(root_after_token_of(""), "root ");
    EXPECT_EQ(root_after_token_of(ours_), "root " + ours_);
}

TEST_F(EnrollingWithRoot, keeps_the_one_that_was_pinned) {
    wish_.former_trust_root = ours_;
    EXPECT_EQ(root_after_token_of(""), "root " + ours_) << "a token without one drops it not";
    EXPECT_EQ(root_after_token_of(ours_), "root " + ours_);
}

TEST_F(EnrollingWithRoot, a_token_of_another_one_enrolls_nobody) {
    wish_.former_trust_root = ours_;
    EXPECT_EQ(root_after_token_of(other_), "");
    EXPECT_THAT(refusal_, ::testing::HasSubstr("has pinned (" + ours_ + ")"));
    EXPECT_THAT(refusal_, ::testing::HasSubstr("trust_root = \"" + other_ + "\""));
}

TEST_F(EnrollingWithRoot, the_vms_administrator_may_put_another_in_its_place) {
    wish_.former_trust_root = ours_;
    wish_.trust_root = other_;
    EXPECT_EQ(root_after_token_of(ours_), "") << "not what stands in agent.toml";
    EXPECT_EQ(root_after_token_of(other_), "root " + other_);
}

TEST_F(EnrollingWithRoot, the_vms_administrator_may_drop_it) {
    wish_.former_trust_root = ours_;
    wish_.trust_root = "";
    EXPECT_EQ(root_after_token_of(other_), "root " + other_);
}

TEST_F(EnrollingWithRoot, what_the_administrator_has_pinned_counts_at_the_first_enrollment_too) {
    wish_.trust_root = ours_;
    EXPECT_EQ(root_after_token_of(other_), "");
    EXPECT_EQ(root_after_token_of(""), "root ") << "agent.toml is not written down elsewhere";
}

}  // namespace
}  // namespace synapsex::agent
