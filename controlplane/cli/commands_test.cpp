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
                 R"("key":{"id":"abc","since":"2026-01-01T00:00:00Z","nextId":null,)"
                 R"("wantedAt":null},)"
                 R"("createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z"})"
    );
    EXPECT_EQ(run({"agents", "get", id("agt_")}), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("long poll, unprivileged, 77 (newer than this program)\n"));
}

std::string agent_document(const std::string& pause, std::string_view ulid = kUlid) {
    return R"({"id":")" + id("agt_", ulid) + R"(","name":"web-1","vmId":")" + id("vm_", ulid) +
           R"(","type":"vm","model":null,"tools":[],"status":"late","description":"",)"
           R"("config":{},"version":"0.1.0","capabilities":[1,6],"lastSeenAt":null,)"
           R"("key":{"id":"abc","since":"2026-01-01T00:00:00Z","nextId":null,"wantedAt":null},)"
           R"("pause":)" + pause + R"(,"createdAt":"2026-01-01T00:00:00Z",)"
           R"("updatedAt":"2026-01-01T00:00:00Z"})";
}

TEST_F(CommandsTest, a_pause_stands_where_one_looks_for_why_nothing_happens) {
    signed_in();
    const std::string evil =
        R"({"since":"2026-01-02T01:04:05Z","until":"2026-01-02T03:04:05Z","reason":"a\u001b[2Jb"})";
    const std::string shown = "until 2026-01-02 03:04:05Z: a\\u{1b}[2Jb\n";
    server.answer(200, agent_document(evil));
    EXPECT_EQ(run({"agents", "get", id("agt_")}), 0) << err.str();
    EXPECT_THAT(out.str(), AllOf(HasSubstr("Paused"), HasSubstr(shown)));
    EXPECT_THAT(out.str(), HasSubstr("2026-01-02 01:04:05Z\n"));

    const std::string open = R"({"since":null,"until":null,"reason":""})";
    server.answer(
        200, "[" + agent_document(evil) + "," + agent_document("null", kUlid2) + "," +
                 agent_document(open, kUlid2) + "]"
    );
    EXPECT_EQ(run({"agents", "list"}), 0) << err.str();
    EXPECT_THAT(out.str(), AllOf(HasSubstr("PAUSED\n"), HasSubstr(shown)));
    EXPECT_THAT(out.str(), HasSubstr("until somebody there resumes it\n"));

    server.answer(200, "[" + agent_document("null") + "]");
    EXPECT_EQ(run({"agents", "list"}), 0) << err.str();
    EXPECT_THAT(out.str(), Not(HasSubstr("PAUSED")));
}

TEST_F(CommandsTest, a_vm_is_shown_with_the_pause_of_its_agent) {
    signed_in();
    const auto vm = vm_document(vm_members("web-1"));
    server.answer(200, vm);
    server.answer(200, agent_document(R"({"since":null,"until":null,"reason":"disk swap"})"));
    EXPECT_EQ(run({"vms", "get", id("vm_")}), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("until somebody there resumes it: disk swap\n"));
    server.answer(200, vm);
    server.refuse(403, "auth.forbidden", "Not for you.");
    EXPECT_EQ(run({"vms", "get", id("vm_")}), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("not known: Not for you."));
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
               R"("key":{"id":"abc","since":"2026-01-01T00:00:00Z","nextId":null,)"
               R"("wantedAt":null},)"
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
