// Signing in, staying signed in, and whose credentials go where.

#include <sys/stat.h>

#include "controlplane/cli/test_world.hpp"

namespace synapsex::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SignInTest : public CliTest {};

TEST_F(SignInTest, login_keeps_the_tokens_and_shows_none) {
    server.answer(200, tokens_document("access-1", "refresh-1"));
    const auto code = run(
        {"login", "--url", "https://sx.example/v1/", "--email", "ada@example.com",
         "--password-stdin"},
        "correct horse\n"
    );
    EXPECT_EQ(code, 0) << err.str();
    EXPECT_EQ(out.str(), "Signed in to https://sx.example as ada@example.com.\n");
    EXPECT_EQ(stored().access_token, "access-1");
    EXPECT_EQ(stored().refresh_token, "refresh-1");
    EXPECT_EQ(stored().url, "https://sx.example");
    ASSERT_EQ(server.requests.size(), 1u);
    EXPECT_EQ(server.requests[0].url, "https://sx.example/v1/auth/login");
    EXPECT_EQ(server.requests[0].body, R"({"email":"ada@example.com","password":"correct horse"})");
    EXPECT_EQ(header_of(server.requests[0], "Authorization"), "");
}

TEST_F(SignInTest, login_asks_on_a_terminal_for_what_is_missing) {
    is_terminal = true;
    server.answer(200, tokens_document("a", "r"));
    EXPECT_EQ(run({"login"}, "ada@example.com\n"), 0) << err.str();
    EXPECT_EQ(
        server.requests.at(0).body, R"({"email":"ada@example.com","password":"typed password"})"
    );
}

TEST_F(SignInTest, login_as_json_says_who_and_never_the_tokens) {
    server.answer(200, tokens_document("access-1", "refresh-1"));
    server.answer(200, me_document());
    EXPECT_EQ(run({"--json", "login", "--email", "a@b.c", "--password-stdin"}, "p\n"), 0);
    EXPECT_EQ(out.str(), me_document() + "\n");
}

TEST_F(SignInTest, a_failed_login_leaves_the_last_one_alone) {
    signed_in();
    server.refuse(401, "auth.login_failed", "The e-mail address or password is wrong.");
    EXPECT_EQ(run({"login", "--email", "a@b.c", "--password-stdin"}, "p\n"), 3);
    EXPECT_EQ(stored().access_token, "old");
    EXPECT_THAT(err.str(), AllOf(HasSubstr("password is wrong"), HasSubstr("request req_1")));
}

TEST_F(SignInTest, login_without_a_terminal_says_what_to_give) {
    EXPECT_EQ(run({"login", "--email", "a@b.c"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("--password-stdin"));
    EXPECT_EQ(run({"login"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("--email"));
}

TEST_F(SignInTest, logout_forgets_the_tokens) {
    signed_in();
    EXPECT_EQ(run({"logout"}), 0);
    EXPECT_FALSE(credentials_file().load().value());
    EXPECT_EQ(run({"logout"}), 0);
    EXPECT_EQ(out.str(), "You were not signed in.\n");
}

TEST_F(SignInTest, who_is_not_signed_in_is_told_what_to_do_before_anything_is_sent) {
    EXPECT_EQ(run({"vms", "list"}), 3);
    EXPECT_THAT(err.str(), HasSubstr("sign in with synapsexctl login --url http://127.0.0.1:8080"));
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(SignInTest, tokens_never_go_to_another_server_than_the_one_that_gave_them) {
    signed_in("https://mine.example");
    EXPECT_EQ(run({"--url", "https://other.example", "vms", "list"}), 3);
    EXPECT_THAT(
        err.str(),
        HasSubstr("You are signed in to https://mine.example, not to https://other.example.")
    );
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(SignInTest, a_credentials_file_that_others_may_read_is_refused) {
    signed_in();
    ::chmod(credentials_file().path().c_str(), 0644);
    EXPECT_EQ(run({"whoami"}), 3);
    EXPECT_THAT(err.str(), AllOf(HasSubstr("chmod 600"), HasSubstr("cli.file_exposed")));
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(SignInTest, an_expired_access_token_is_renewed_once_and_the_call_repeated) {
    signed_in();
    server.refuse(401, "auth.credential_expired", "The access token has expired.");
    server.answer(200, tokens_document("new", "r2"));
    server.answer(200, me_document());
    EXPECT_EQ(run({"whoami"}), 0) << err.str();
    ASSERT_EQ(server.requests.size(), 3u);
    EXPECT_THAT(server.requests[1].body, HasSubstr(R"(:"r1"})"));
    EXPECT_EQ(header_of(server.requests[1], "Authorization"), "");
    EXPECT_EQ(header_of(server.requests[2], "Authorization"), "Bearer new");
    EXPECT_EQ(stored().access_token, "new");
    EXPECT_EQ(stored().refresh_token, "r2");
    EXPECT_EQ(stored().email, "ada@example.com");
}

TEST_F(SignInTest, tokens_that_another_program_renewed_meanwhile_are_taken_over) {
    signed_in();
    server.refuse(401, "auth.credential_expired", "The access token has expired.");
    server.answer(200, me_document());
    server.on_request = [&, is_first = true]() mutable {
        if (!std::exchange(is_first, false)) return;
        auto renewed = stored();
        renewed.access_token = "of the other";
        ASSERT_TRUE(credentials_file().save(renewed));
    };
    EXPECT_EQ(run({"whoami"}), 0) << err.str();
    ASSERT_EQ(server.requests.size(), 2u) << "no refresh: the refresh token is used up";
    EXPECT_EQ(header_of(server.requests[1], "Authorization"), "Bearer of the other");
}

TEST_F(SignInTest, a_session_that_is_over_asks_to_sign_in) {
    signed_in();
    server.refuse(401, "auth.credential_expired", "The access token has expired.");
    server.refuse(401, "auth.refresh_invalid", "The session is over.");
    EXPECT_EQ(run({"whoami"}), 3);
    EXPECT_THAT(err.str(), HasSubstr("The session is over."));
    EXPECT_THAT(err.str(), HasSubstr("synapsexctl login"));
}

TEST_F(SignInTest, credentials_of_the_environment_go_before_the_file_and_are_never_renewed) {
    signed_in();
    environment["SYNAPSEX_API_KEY"] = "sk_sx_key";
    environment["SYNAPSEX_TENANT_ID"] = "acme";
    server.refuse(401, "auth.credential_revoked", "The API key was revoked.");
    EXPECT_EQ(run({"whoami"}), 3);
    ASSERT_EQ(server.requests.size(), 1u);
    EXPECT_EQ(header_of(server.requests[0], "Authorization"), "Bearer sk_sx_key");
    EXPECT_EQ(header_of(server.requests[0], "X-Tenant-Id"), "acme");
    EXPECT_THAT(err.str(), AllOf(HasSubstr("SYNAPSEX_API_KEY"), Not(HasSubstr("sk_sx_key"))));
}

TEST_F(SignInTest, a_chosen_tenant_that_has_gone_does_not_keep_from_choosing_another) {
    signed_in();
    const auto tenants = page(
        R"({"id":")" + id("ten_") + R"(","slug":"acme","name":"Acme","role":"operator",)"
        R"("plan":"free","state":"active",)"
        R"("createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z"})"
    );
    server.answer(200, tenants);
    server.refuse(404, "tenants.not_found", "There is no such tenant.");
    EXPECT_EQ(run({"tenants", "list", "--tenant", "gone"}), 0) << err.str();
    EXPECT_EQ(header_of(server.requests.at(0), "X-Tenant-Id"), "");
    EXPECT_EQ(header_of(server.requests.at(1), "X-Tenant-Id"), "gone");
    server.answer(200, tenants);
    EXPECT_EQ(run({"tenants", "use", "acme", "--tenant", "gone"}), 0) << err.str();
    EXPECT_EQ(stored().tenant_id, id("ten_"));
}

TEST_F(SignInTest, the_chosen_tenant_is_kept_and_sent) {
    signed_in();
    const auto tenants = page(
        R"({"id":")" + id("ten_", kUlid2) + R"(","slug":"acme","name":"Acme","role":"operator",)"
        R"("plan":"free","state":"active",)"
        R"("createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z"})"
    );
    server.answer(200, tenants);
    EXPECT_EQ(run({"tenants", "use", "acme"}), 0) << err.str();
    EXPECT_EQ(stored().tenant_id, id("ten_", kUlid2));
    server.answer(200, tenants);
    server.answer(200, me_document());
    EXPECT_EQ(run({"tenants"}), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("operator"));
    EXPECT_EQ(header_of(server.requests.back(), "X-Tenant-Id"), id("ten_", kUlid2));
    server.answer(200, page(""));
    EXPECT_EQ(run({"tenants", "use", "other"}), 4);
}

TEST_F(SignInTest, profiles_and_credentials_files_are_kept_apart) {
    server.answer(200, tokens_document("a", "r"));
    run({"--profile", "work", "login", "--email", "a@b.c", "--password-stdin"}, "p\n");
    EXPECT_TRUE(std::filesystem::exists(home / ".config/synapsex/credentials.work.json"));
    EXPECT_EQ(run({"--profile", "../x", "whoami"}), 2);
    environment["XDG_CONFIG_HOME"] = (home / "xdg").string();
    server.answer(200, tokens_document("a", "r"));
    run({"login", "--email", "a@b.c", "--password-stdin"}, "p\n");
    EXPECT_TRUE(std::filesystem::exists(home / "xdg/synapsex/credentials.json"));
}

}  // namespace
}  // namespace synapsex::cli::testing
