#include <fstream>
#include <sys/stat.h>

#include "controlplane/cli/test_world.hpp"

namespace synapsex::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class CommandsTest : public CliTest {};

TEST_F(CommandsTest, login_keeps_the_tokens_and_shows_none) {
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

TEST_F(CommandsTest, login_asks_on_a_terminal_for_what_is_missing) {
    is_terminal = true;
    server.answer(200, tokens_document("a", "r"));
    EXPECT_EQ(run({"login"}, "ada@example.com\n"), 0) << err.str();
    EXPECT_EQ(
        server.requests.at(0).body, R"({"email":"ada@example.com","password":"typed password"})"
    );
}

TEST_F(CommandsTest, login_as_json_says_who_and_never_the_tokens) {
    server.answer(200, tokens_document("access-1", "refresh-1"));
    server.answer(200, me_document());
    EXPECT_EQ(run({"--json", "login", "--email", "a@b.c", "--password-stdin"}, "p\n"), 0);
    EXPECT_EQ(out.str(), me_document() + "\n");
}

TEST_F(CommandsTest, a_failed_login_leaves_the_last_one_alone) {
    signed_in();
    server.refuse(401, "auth.login_failed", "The e-mail address or password is wrong.");
    EXPECT_EQ(run({"login", "--email", "a@b.c", "--password-stdin"}, "p\n"), 3);
    EXPECT_EQ(stored().access_token, "old");
    EXPECT_THAT(err.str(), AllOf(HasSubstr("password is wrong"), HasSubstr("request req_1")));
}

TEST_F(CommandsTest, login_without_a_terminal_says_what_to_give) {
    EXPECT_EQ(run({"login", "--email", "a@b.c"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("--password-stdin"));
    EXPECT_EQ(run({"login"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("--email"));
}

TEST_F(CommandsTest, logout_forgets_the_tokens) {
    signed_in();
    EXPECT_EQ(run({"logout"}), 0);
    EXPECT_FALSE(credentials_file().load().value());
    EXPECT_EQ(run({"logout"}), 0);
    EXPECT_EQ(out.str(), "You were not signed in.\n");
}

TEST_F(CommandsTest, who_is_not_signed_in_is_told_what_to_do_before_anything_is_sent) {
    EXPECT_EQ(run({"vms", "list"}), 3);
    EXPECT_THAT(err.str(), HasSubstr("sign in with synapsexctl login --url http://127.0.0.1:8080"));
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(CommandsTest, tokens_never_go_to_another_server_than_the_one_that_gave_them) {
    signed_in("https://mine.example");
    EXPECT_EQ(run({"--url", "https://other.example", "vms", "list"}), 3);
    EXPECT_THAT(
        err.str(),
        HasSubstr("You are signed in to https://mine.example, not to https://other.example.")
    );
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(CommandsTest, a_credentials_file_that_others_may_read_is_refused) {
    signed_in();
    ::chmod(credentials_file().path().c_str(), 0644);
    EXPECT_EQ(run({"whoami"}), 3);
    EXPECT_THAT(err.str(), AllOf(HasSubstr("chmod 600"), HasSubstr("cli.file_exposed")));
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(CommandsTest, an_expired_access_token_is_renewed_once_and_the_call_repeated) {
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

TEST_F(CommandsTest, tokens_that_another_program_renewed_meanwhile_are_taken_over) {
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

TEST_F(CommandsTest, a_session_that_is_over_asks_to_sign_in) {
    signed_in();
    server.refuse(401, "auth.credential_expired", "The access token has expired.");
    server.refuse(401, "auth.refresh_invalid", "The session is over.");
    EXPECT_EQ(run({"whoami"}), 3);
    EXPECT_THAT(err.str(), HasSubstr("The session is over."));
    EXPECT_THAT(err.str(), HasSubstr("synapsexctl login"));
}

TEST_F(CommandsTest, credentials_of_the_environment_go_before_the_file_and_are_never_renewed) {
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

TEST_F(CommandsTest, a_server_that_does_not_answer_is_exit_code_5) {
    signed_in();
    server.fail(Kind::unavailable, net::kUnreachable);
    EXPECT_EQ(run({"vms", "list"}), 5);
    EXPECT_THAT(err.str(), HasSubstr("check that the control plane runs at http://127.0.0.1:8080"));
}

TEST_F(CommandsTest, a_proxys_page_instead_of_an_answer_is_exit_code_5) {
    signed_in();
    server.answer(502, "<html>\x1b[31mBad Gateway</html>");
    EXPECT_EQ(run({"vms", "list"}), 5);
    EXPECT_THAT(err.str(), Not(HasSubstr("\x1b")));
}

TEST_F(CommandsTest, too_many_requests_are_exit_code_7_and_say_when_to_come_back) {
    signed_in();
    server.refuse(429, "rate.limited", "Too many requests.");
    server.answers.back()->headers.push_back({"Retry-After", "90"});
    EXPECT_EQ(run({"vms", "list"}), 7);
    EXPECT_THAT(err.str(), HasSubstr("try again in 1 min 30 s"));
}

TEST_F(CommandsTest, an_answer_of_another_program_is_a_failure) {
    signed_in();
    server.answer(200, "It works!");
    EXPECT_EQ(run({"vms", "list"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("client.bad_answer"));
}

TEST_F(CommandsTest, problems_as_json_are_the_servers_document_on_standard_error) {
    signed_in();
    server.refuse(404, "vms.not_found", "There is no such VM.");
    EXPECT_EQ(run({"--json", "vms", "get", id("vm_")}), 4);
    EXPECT_EQ(out.str(), "");
    EXPECT_THAT(err.str(), StartsWith(R"({"type":"t")"));
}

TEST_F(CommandsTest, global_options_may_stand_anywhere) {
    signed_in();
    for (const auto& line : std::vector<std::vector<std::string>>{
             {"--json", "vms", "list"}, {"vms", "--json", "list"}, {"vms", "list", "--json"}}) {
        server.answer(200, page(""));
        EXPECT_EQ(run(line), 0);
        EXPECT_EQ(out.str(), page("") + "\n");
    }
}

TEST_F(CommandsTest, a_wrong_command_line_is_exit_code_2) {
    EXPECT_EQ(run({}), 2);
    EXPECT_EQ(run({"vms"}), 2);
    EXPECT_EQ(run({"vms", "list", "--limit", "0"}), 2);
    EXPECT_EQ(run({"vms", "list", "--state", "sleepy"}), 2);
    EXPECT_EQ(run({"bogus"}), 2);
    EXPECT_EQ(run({"keys", "revoke", "not-an-id"}), 2);
    EXPECT_EQ(run({"--help"}), 0);
    EXPECT_THAT(out.str(), HasSubstr("Exit codes"));
}

TEST_F(CommandsTest, capabilities_have_names) {
    signed_in();
    server.answer(
        200, R"({"id":")" + id("agt_") + R"(","name":"web-1","vmId":")" + id("vm_") +
                 R"(","type":"vm","model":null,"tools":[],"status":"late","description":"",)"
                 R"("config":{},"version":"0.1.0","capabilities":[1,4,77],"lastSeenAt":null,)"
                 R"("createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z"})"
    );
    EXPECT_EQ(run({"agents", "get", id("agt_")}), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("long poll, unprivileged, 77 (newer than this program)\n"));
}

TEST_F(CommandsTest, lists_follow_the_cursors_and_json_joins_the_pages) {
    signed_in();
    server.answer(200, page("{" + vm_members("web-1") + "}", "c1"));
    server.answer(200, page("{" + vm_members("web-2", kUlid2) + "}"));
    EXPECT_EQ(run({"vms", "list"}), 0) << err.str();
    EXPECT_THAT(out.str(), AllOf(HasSubstr("web-1"), HasSubstr("web-2")));
    EXPECT_THAT(server.requests.at(1).url, HasSubstr("cursor=c1"));

    server.answer(200, page(R"({"futureMember":1,)" + vm_members("web-1") + "}", "c1"));
    server.answer(200, page("{" + vm_members("web-2", kUlid2) + "}"));
    EXPECT_EQ(run({"vms", "list", "--json"}), 0);
    EXPECT_THAT(out.str(), AllOf(HasSubstr("futureMember"), HasSubstr(R"("nextCursor":null)")));
}

TEST_F(CommandsTest, a_limit_cuts_the_list_and_says_so) {
    signed_in();
    server.answer(200, page("{" + vm_members("web-1") + "}", "c1"));
    EXPECT_EQ(run({"vms", "list", "--limit", "1"}), 0);
    EXPECT_THAT(server.requests.at(0).url, HasSubstr("limit=1"));
    EXPECT_THAT(err.str(), HasSubstr("Only the first 1 are shown"));
}

TEST_F(CommandsTest, bare_arrays_continue_by_the_link_header) {
    signed_in();
    const auto agent = [](std::string_view name, std::string_view ulid) {
        return R"([{"id":")" + id("agt_", ulid) + R"(","name":")" + std::string{name} +
               R"(","vmId":")" + id("vm_", ulid) +
               R"(","type":"vm","model":null,"tools":[],"status":"late","description":"",)"
               R"("config":{},"version":"0.1.0","capabilities":[1,2],"lastSeenAt":null,)"
               R"("createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z"}])";
    };
    server.answer(
        200, agent("web-1", kUlid), {{"Link", R"(</v1/agents?limit=50&cursor=a%2Fb>; rel="next")"}}
    );
    server.answer(200, agent("web-2", kUlid2));
    EXPECT_EQ(run({"agents", "list", "-q"}), 0) << err.str();
    EXPECT_EQ(out.str(), id("agt_") + "\n" + id("agt_", kUlid2) + "\n");
    EXPECT_THAT(server.requests.at(1).url, HasSubstr("cursor=a%2Fb"));
}

TEST_F(CommandsTest, what_vms_say_of_themselves_cannot_command_the_terminal) {
    signed_in();
    is_terminal = true;
    environment["NO_COLOR"] = "1";
    const std::string evil = "evil\\u001b[2J\\u202e\u009b";
    server.answer(200, page("{" + vm_members(evil) + "}"));
    EXPECT_EQ(run({"vms", "list"}), 0) << err.str();
    EXPECT_THAT(
        out.str(), AllOf(HasSubstr("evil\\u{1b}[2J\\u{202e}\\u{9b}"), Not(HasSubstr("\x1b")))
    );
    server.answer(200, page("{" + vm_members(evil) + "}"));
    EXPECT_EQ(run({"vms", "list", "--json"}), 0);
    EXPECT_THAT(out.str(), AllOf(HasSubstr("\\u009b"), Not(HasSubstr("\u009b"))));
}

TEST_F(CommandsTest, states_are_colored_only_on_a_terminal) {
    signed_in();
    is_terminal = true;
    const auto list = page("{" + vm_members("web-1") + "}");
    server.answer(200, list);
    run({"vms", "list"});
    EXPECT_THAT(out.str(), HasSubstr("\x1b[32monline"));
    server.answer(200, list);
    run({"vms", "list", "--no-color"});
    EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
    is_terminal = false;
    server.answer(200, list);
    run({"vms", "list"});
    EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
}

TEST_F(CommandsTest, a_vm_may_be_named_by_its_name) {
    signed_in();
    server.answer(200, page("{" + vm_members("web-1") + "}"));
    const auto latest = point_document("2026-01-02T03:04:00Z");
    server.answer(200, vm_document(vm_members("web-1", kUlid, latest)));
    EXPECT_EQ(run({"vms", "get", "web-1"}), 0) << err.str();
    EXPECT_THAT(server.requests.at(1).url, HasSubstr("/v1/vms/" + id("vm_")));
    EXPECT_THAT(out.str(), AllOf(HasSubstr("Packages"), HasSubstr("1,432"), HasSubstr("2 GiB")));
}

TEST_F(CommandsTest, a_name_that_two_vms_have_is_a_conflict_and_one_that_none_has_not_found) {
    signed_in();
    server.answer(
        200, page("{" + vm_members("web") + "},{" + vm_members("web", kUlid2) + "}")
    );
    EXPECT_EQ(run({"vms", "get", "web"}), 6);
    server.answer(200, page("{" + vm_members("web-11") + "}"));
    EXPECT_EQ(run({"vms", "get", "web-1"}), 4);
}

TEST_F(CommandsTest, an_agent_that_is_not_found_by_its_name_is_called_an_agent) {
    signed_in();
    server.answer(200, page(""));
    EXPECT_EQ(run({"agents", "get", "web"}), 4);
    EXPECT_THAT(err.str(), HasSubstr("no agent named \"web\" here. See synapsexctl agents list."));
    EXPECT_THAT(err.str(), HasSubstr("code cli.agent_not_found"));
    server.answer(
        200, page("{" + vm_members("web") + "},{" + vm_members("web", kUlid2) + "}")
    );
    EXPECT_EQ(run({"agents", "remove", "web", "--yes"}), 6);
    EXPECT_THAT(err.str(), HasSubstr("2 agents are named \"web\""));
    EXPECT_THAT(err.str(), AllOf(HasSubstr("agents list)"), HasSubstr("code cli.agent_ambiguous")));
}

// Of 252 GiB users may have 98 here: df says 28 %, and the same says telemetry.
TEST_F(CommandsTest, a_vm_shows_no_other_share_of_its_disks_than_telemetry_does) {
    signed_in();
    const auto latest = point_document("2026-01-02T03:04:00Z");
    server.answer(
        200, vm_document(
                 vm_members("web-1", kUlid, latest),
                 R"({"mountPoint":"/","device":"/dev/vda1","type":"ext4","sizeBytes":270582939648,)"
                 R"("usedBytes":29742000000,"inodes":0,"inodesUsed":0,"readOnly":false})"
             )
    );
    EXPECT_EQ(run({"vms", "get", id("vm_")}), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("Fullest disk     41.5 %, as df counts\n"));
    EXPECT_THAT(out.str(), HasSubstr("  USED     SIZE  DEVICE\n"));
    EXPECT_THAT(out.str(), HasSubstr("28 GiB  252 GiB  /dev/vda1\n"));
    EXPECT_THAT(out.str(), Not(HasSubstr("(11")));
}

TEST_F(CommandsTest, a_key_was_never_used_before_it_was_made) {
    signed_in();
    const auto list_key = [this](std::string_view created, std::string_view used) {
        server.answer(
            200, page(
                     R"({"id":")" + id("key_") + R"(","name":"k","description":"",)" +
                     R"("prefix":"sk_sx_ab","createdAt":")" + std::string{created} +
                     R"(","lastUsedAt":")" + std::string{used} + R"("})"
                 )
        );
        EXPECT_EQ(run({"keys", "list"}), 0) << err.str();
        return out.str();
    };
    // It is 03:04:05; the server keeps the minute of the last use.
    EXPECT_THAT(
        list_key("2026-01-02T03:04:03Z", "2026-01-02T03:04:00Z"), HasSubstr("2 s ago  just now")
    );
    EXPECT_THAT(
        list_key("2026-01-02T03:02:50Z", "2026-01-02T03:02:00Z"), HasSubstr("1 min ago  1 min ago")
    );
    EXPECT_THAT(
        list_key("2026-01-01T03:02:50Z", "2026-01-02T03:01:00Z"), HasSubstr("1 d ago  3 min ago")
    );
}

TEST_F(CommandsTest, a_token_goes_alone_to_standard_output) {
    signed_in();
    server.answer(
        201, R"({"id":")" + id("ent_") + R"(","name":"","usesMax":3,"createdAt":)"
             R"("2026-01-02T03:04:05Z","expiresAt":"2026-01-02T05:04:05Z","token":"sxe_secret"})"
    );
    EXPECT_EQ(run({"tokens", "create", "--uses", "3", "--ttl", "2h"}), 0) << err.str();
    EXPECT_EQ(out.str(), "sxe_secret\n");
    EXPECT_THAT(err.str(), HasSubstr("valid until 2026-01-02 05:04:05Z"));
    EXPECT_THAT(server.requests.at(0).body, HasSubstr(R"("ttlSeconds":7200)"));
    EXPECT_EQ(header_of(server.requests.at(0), "Idempotency-Key").size(), 22u);
}

TEST_F(CommandsTest, a_token_for_a_file_is_shown_nowhere_else) {
    signed_in();
    const auto file = home / "token";
    const std::string created =
        R"({"id":")" + id("ent_") + R"(","name":"","usesMax":1,"createdAt":)"
        R"("2026-01-02T03:04:05Z","expiresAt":"2026-01-02T05:04:05Z","token":"sxe_secret"})";
    server.answer(201, created);
    EXPECT_EQ(run({"--json", "tokens", "create", "--token-file", file.string()}), 0);
    EXPECT_THAT(out.str() + err.str(), Not(HasSubstr("sxe_secret")));
    std::string content;
    std::getline(std::ifstream{file}, content);
    EXPECT_EQ(content, "sxe_secret");
    struct stat facts {};
    ASSERT_EQ(::stat(file.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600u);

    const auto folder = home / "folder";
    std::filesystem::create_directory(folder);
    server.answer(201, created);
    server.answer(204, "");
    server.on_request = [&] { std::filesystem::remove(folder); };
    EXPECT_EQ(run({"tokens", "create", "--token-file", (folder / "token").string()}), 1);
    EXPECT_EQ(server.requests.back().method, "DELETE") << "what nobody has seen is revoked";
    EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(CommandsTest, a_secret_replaces_no_file_unasked_and_is_not_even_made) {
    signed_in();
    const auto file = home / "id_ed25519";
    std::ofstream{file} << "precious";
    const auto dangling = home / "link";
    std::filesystem::create_symlink(home / "nowhere", dangling);
    for (const auto& path : {file, dangling}) {
        EXPECT_EQ(run({"keys", "create", "--name", "k", "--key-file", path.string()}), 2);
        EXPECT_THAT(
            err.str(),
            AllOf(HasSubstr(path.string() + " is there already and stays"), HasSubstr("--force"))
        );
    }
    EXPECT_EQ(run({"tokens", "create", "--token-file", file.string()}), 2);
    EXPECT_THAT(err.str(), HasSubstr("code cli.file_exists"));
    EXPECT_EQ(run({"tokens", "create", "--force"}), 2) << "without a file";
    EXPECT_THAT(server.requests, IsEmpty());

    server.answer(
        201, R"({"id":")" + id("ent_") + R"(","name":"","usesMax":1,"createdAt":)"
             R"("2026-01-02T03:04:05Z","expiresAt":"2026-01-02T05:04:05Z","token":"sxe_secret"})"
    );
    EXPECT_EQ(run({"tokens", "create", "--token-file", file.string(), "--force"}), 0) << err.str();
    std::string content;
    std::getline(std::ifstream{file}, content);
    EXPECT_EQ(content, "sxe_secret");
}

TEST_F(CommandsTest, no_folder_is_made_for_a_secret) {
    signed_in();
    const auto folder = home / "none";
    for (const auto& path : {folder / "token", folder / "deeper" / "token"}) {
        EXPECT_EQ(run({"tokens", "create", "--token-file", path.string()}), 2);
        EXPECT_THAT(err.str(), HasSubstr("There is no folder " + path.parent_path().string()));
    }
    EXPECT_FALSE(std::filesystem::exists(folder));
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(CommandsTest, a_secret_goes_into_no_device_and_is_not_even_made) {
    signed_in();
    const auto pipe = home / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_EQ(run({"tokens", "create", "--token-file", "/dev/null"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("/dev/null is no ordinary file and stays as it is."));
    EXPECT_THAT(err.str(), HasSubstr("Without --token-file the token is printed."));
    EXPECT_EQ(run({"keys", "create", "--name", "k", "--key-file", pipe.string()}), 2);
    EXPECT_THAT(err.str(), HasSubstr("Without --key-file the key is printed."));
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
    EXPECT_TRUE(std::filesystem::is_fifo(pipe));
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(CommandsTest, a_secret_that_could_not_be_shown_is_revoked) {
    signed_in();
    server.answer(
        201, R"({"id":")" + id("ent_") + R"(","name":"","usesMax":1,"createdAt":)"
             R"("2026-01-02T03:04:05Z","expiresAt":"2026-01-02T05:04:05Z","token":"sxe_secret"})"
    );
    server.answer(204, "");
    server.on_request = [this] { out.setstate(std::ios::badbit); };
    EXPECT_EQ(run({"tokens", "create"}), 1);
    EXPECT_EQ(server.requests.back().method, "DELETE");
}

TEST_F(CommandsTest, a_chosen_tenant_that_has_gone_does_not_keep_from_choosing_another) {
    signed_in();
    const auto tenants = page(
        R"({"id":")" + id("ten_") + R"(","slug":"acme","name":"Acme","role":"operator",)"
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

TEST_F(CommandsTest, the_chosen_tenant_is_kept_and_sent) {
    signed_in();
    const auto tenants = page(
        R"({"id":")" + id("ten_", kUlid2) + R"(","slug":"acme","name":"Acme","role":"operator",)"
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

TEST_F(CommandsTest, removing_an_agent_has_to_be_confirmed) {
    signed_in();
    EXPECT_EQ(run({"agents", "remove", id("agt_")}), 2);
    is_terminal = true;
    EXPECT_EQ(run({"agents", "remove", id("agt_")}, "n\n"), 1);
    EXPECT_THAT(server.requests, IsEmpty());
    server.answer(200, R"({"success":true})");
    EXPECT_EQ(run({"agents", "remove", id("agt_")}, "y\n"), 0) << err.str();
    EXPECT_EQ(server.requests.at(0).method, "DELETE");
}

TEST_F(CommandsTest, profiles_and_credentials_files_are_kept_apart) {
    server.answer(200, tokens_document("a", "r"));
    run({"--profile", "work", "login", "--email", "a@b.c", "--password-stdin"}, "p\n");
    EXPECT_TRUE(std::filesystem::exists(home / ".config/synapsex/credentials.work.json"));
    EXPECT_EQ(run({"--profile", "../x", "whoami"}), 2);
    environment["XDG_CONFIG_HOME"] = (home / "xdg").string();
    server.answer(200, tokens_document("a", "r"));
    run({"login", "--email", "a@b.c", "--password-stdin"}, "p\n");
    EXPECT_TRUE(std::filesystem::exists(home / "xdg/synapsex/credentials.json"));
}

TEST_F(CommandsTest, proxies_are_never_between_this_machine_and_itself) {
    signed_in();
    server.answer(200, me_document());
    run({"whoami"});
    EXPECT_EQ(curl_options.proxy, net::ProxyUse::never);
    signed_in("https://sx.example");
    server.answer(200, me_document());
    run({"whoami"});
    EXPECT_EQ(curl_options.proxy, net::ProxyUse::environment);
}

}  // namespace
}  // namespace synapsex::cli::testing
