// Where one is signed in, ending that, and another password.

#include "controlplane/cli/test_world.hpp"

namespace synapsex::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SessionCommands : public CliTest {
 protected:
    static std::string session(std::string_view ulid, const std::string& agent, bool is_current) {
        return R"({"id":")" + id("ses_", ulid) +
               R"(","createdAt":"2026-01-01T00:00:00Z","signedInAt":"2026-01-01T00:00:00Z",)"
               R"("lastRefreshedAt":"2026-01-02T03:00:00Z","expiresAt":"2026-02-01T00:00:00Z",)"
               R"("lastAddress":"192.0.2.7","userAgent":")" +
               agent + R"(","isCurrent":)" + (is_current ? "true}" : "false}");
    }
};

TEST_F(SessionCommands, are_listed_with_the_one_of_this_machine) {
    signed_in();
    server.answer(
        200, page(session(kUlid2, "synapsexctl/1", true) + "," + session(kUlid, "a browser", false))
    );
    EXPECT_EQ(run({"sessions", "list"}), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr(id("ses_", kUlid2) + " (this one)"));
    EXPECT_THAT(out.str(), AllOf(HasSubstr("192.0.2.7"), HasSubstr("a browser")));
    EXPECT_THAT(server.requests.at(0).url, HasSubstr("/v1/auth/sessions?"));
}

TEST_F(SessionCommands, a_list_as_json_is_what_the_server_said) {
    signed_in();
    const auto document = page(session(kUlid, "x", true));
    server.answer(200, document);
    EXPECT_EQ(run({"--json", "sessions", "list"}), 0);
    EXPECT_EQ(out.str(), document + "\n");
}

TEST_F(SessionCommands, are_ended_by_their_ids) {
    signed_in();
    server.answer(204, "");
    EXPECT_EQ(run({"sessions", "revoke", id("ses_")}), 0) << err.str();
    EXPECT_EQ(out.str(), "Ended " + id("ses_") + ".\n");
    EXPECT_EQ(server.requests.at(0).method, "DELETE");
    EXPECT_THAT(server.requests.at(0).url, HasSubstr("/v1/auth/sessions/" + id("ses_")));
    EXPECT_EQ(run({"sessions", "revoke", "key_1"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("no id of a session"));
    server.refuse(404, "auth.session_not_found", "You have no such session.");
    EXPECT_EQ(run({"sessions", "revoke", id("ses_")}), 4);
}

TEST_F(SessionCommands, logout_ends_the_session_at_the_server_with_the_kept_sign_in) {
    signed_in();
    environment["SYNAPSEX_API_KEY"] = "sk_sx_key";
    server.answer(204, "");
    EXPECT_EQ(run({"logout"}), 0) << err.str();
    EXPECT_THAT(server.requests.at(0).url, HasSubstr("/v1/auth/logout"));
    EXPECT_EQ(header_of(server.requests.at(0), "Authorization"), "Bearer old");
    EXPECT_FALSE(credentials_file().load().value());
    EXPECT_EQ(err.str(), "");
}

TEST_F(SessionCommands, logout_forgets_the_tokens_though_the_server_does_not_answer_and_says_so) {
    signed_in();
    server.fail(Kind::unavailable, "net.unreachable");
    EXPECT_EQ(run({"logout"}), 0);
    EXPECT_FALSE(credentials_file().load().value());
    EXPECT_THAT(err.str(), AllOf(HasSubstr("was not told"), HasSubstr("sessions revoke")));
}

TEST_F(SessionCommands, logout_of_a_session_that_is_over_says_nothing_of_that) {
    signed_in();
    server.refuse(401, "auth.credential_revoked", "Over.");
    server.refuse(401, "auth.refresh_invalid", "Over.");
    EXPECT_EQ(run({"logout"}), 0);
    EXPECT_EQ(err.str(), "");
    EXPECT_FALSE(credentials_file().load().value());
}

TEST_F(SessionCommands, logout_everywhere_keeps_the_tokens_if_it_could_not_be_done) {
    signed_in();
    server.fail(Kind::unavailable, "net.unreachable");
    EXPECT_NE(run({"logout", "--everywhere"}), 0);
    EXPECT_EQ(stored().access_token, "old");
    server.answer(200, R"({"sessionsEnded":3})");
    EXPECT_EQ(run({"logout", "--everywhere"}), 0) << err.str();
    EXPECT_THAT(server.requests.back().url, HasSubstr("/v1/auth/logout-everywhere"));
    EXPECT_FALSE(credentials_file().load().value());
    EXPECT_EQ(run({"logout", "--everywhere"}), 3) << "it would end nothing";
}

TEST_F(SessionCommands, the_password_is_changed_with_two_lines_of_standard_input) {
    signed_in();
    server.answer(204, "");
    EXPECT_EQ(run({"password", "--passwords-stdin"}, "the old one\na new and long one\n"), 0);
    EXPECT_EQ(
        server.requests.at(0).body,
        R"({"currentPassword":"the old one","newPassword":"a new and long one"})"
    );
    EXPECT_THAT(out.str(), AllOf(HasSubstr("was changed"), Not(HasSubstr("the old one"))));
    EXPECT_EQ(run({"password", "--passwords-stdin"}, "the old one\n"), 2);
    EXPECT_THAT(err.str(), HasSubstr("second"));
    EXPECT_EQ(run({"password"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("--passwords-stdin"));
    EXPECT_EQ(server.requests.size(), 1u);
}

TEST_F(SessionCommands, the_password_is_asked_for_on_a_terminal) {
    signed_in();
    is_terminal = true;
    server.answer(204, "");
    EXPECT_EQ(run({"password"}), 0) << err.str();
    EXPECT_EQ(
        server.requests.at(0).body,
        R"({"currentPassword":"typed password","newPassword":"typed password"})"
    );
}

TEST_F(SessionCommands, a_wrong_current_password_does_not_renew_the_tokens) {
    signed_in();
    server.refuse(403, "auth.password_wrong", "The current password is wrong.");
    EXPECT_NE(run({"password", "--passwords-stdin"}, "wrong\na new and long one\n"), 0);
    EXPECT_EQ(server.requests.size(), 1u);
    EXPECT_THAT(err.str(), HasSubstr("current password is wrong"));
}

}  // namespace
}  // namespace synapsex::cli::testing
