#include "controlplane/cli/test_world.hpp"

namespace synapsex::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// `name` as JSON has it.
std::string entry(const std::string& name, const std::string& action = "api_key.created") {
    return R"({"id":")" + id("evt_") + R"(","sequence":1,"time":"2026-01-02T03:04:05Z",)" +
           R"("recordedAt":"2026-01-02T03:04:06Z","action":")" + action + R"(","subject":")" +
           id("key_") + R"(","actor":[{"type":"user","id":")" + id("usr_") +
           R"("},{"type":"api_key","id":")" + id("key_", kUlid2) +
           R"("}],"onBehalfOf":null,"requestId":"req_7","decisionId":null,)" +
           R"("clientAddress":"192.0.2.7","argumentDigest":null,"data":{"name":")" + name +
           R"("},"hash":"h1","prevHash":""})";
}

class AuditCommandsTest : public CliTest {};

TEST_F(AuditCommandsTest, a_row_says_when_what_to_what_by_whom_and_from_where) {
    signed_in();
    server.answer(200, R"({"items":[)" + entry("robot") + R"(],"nextCursor":null})");
    EXPECT_EQ(run({"audit", "list", "--action", "api_key."}), 0) << err.str();
    EXPECT_THAT(server.requests.at(0).url, HasSubstr("action=api_key."));
    EXPECT_THAT(
        out.str(), AllOf(HasSubstr("2026-01-02 03:04:05Z"), HasSubstr("api_key.created"),
                         HasSubstr(id("key_")), HasSubstr("robot"), HasSubstr("192.0.2.7"),
                         HasSubstr(id("usr_")), HasSubstr(id("key_", kUlid2)))
    );
}

TEST_F(AuditCommandsTest, what_is_in_an_entry_cannot_command_the_terminal) {
    signed_in();
    const std::string evil = "evil\\u001b[2J\\u202e\\n";
    server.answer(200, R"({"items":[)" + entry(evil, "x\\u001b[2J") + R"(],"nextCursor":null})");
    EXPECT_EQ(run({"audit", "list"}), 0) << err.str();
    EXPECT_THAT(
        out.str(), AllOf(HasSubstr("evil\\u{1b}[2J\\u{202e}"), HasSubstr("x\\u{1b}[2J"),
                         Not(HasSubstr("\x1b")), Not(HasSubstr("\u202e")))
    );
    server.answer(200, entry(evil));
    EXPECT_EQ(run({"audit", "get", id("evt_")}), 0) << err.str();
    EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
}

TEST_F(AuditCommandsTest, a_list_goes_on_past_pages_on_which_nothing_fits) {
    signed_in();
    server.answer(200, R"({"items":[],"nextCursor":"c1"})");
    server.answer(200, R"({"items":[)" + entry("late") + R"(],"nextCursor":null})");
    EXPECT_EQ(run({"audit", "list", "--subject", "vm_1"}), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("late"));
}

TEST_F(AuditCommandsTest, times_are_back_from_now_or_instants) {
    signed_in();
    const std::string none = R"({"items":[],"nextCursor":null})";
    server.answer(200, none);
    const auto [from, to] = std::pair{"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"};
    EXPECT_EQ(run({"audit", "list", "--since", from, "--until", to}), 0);
    EXPECT_THAT(err.str(), HasSubstr("There are no such entries."));
    EXPECT_THAT(
        server.requests.at(0).url, AllOf(HasSubstr("from=2026-01-01"), HasSubstr("to=2026-01-02"))
    );
    server.answer(200, none);
    EXPECT_EQ(run({"audit", "list", "--since", "2h"}), 0) << err.str();
    EXPECT_THAT(server.requests.at(1).url, HasSubstr("from="));
    EXPECT_EQ(run({"audit", "list", "--since", "yesterday"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("--since takes a time back from now"));
    EXPECT_EQ(run({"audit", "export", "--since", "1h", "--until", "2h"}), 2);
    EXPECT_EQ(run({"audit", "get", "17"}), 2);
}

TEST_F(AuditCommandsTest, an_export_is_all_pages_as_they_came) {
    signed_in();
    const auto first = entry("one") + "\n" + entry("two") + "\n";
    const auto last = R"({"futureMember":1,)" + entry("three").substr(1) + "\n";
    server.answer(
        200, first, {{"Link", R"(</v1/audit/export?cursor=c1>; rel="next")"}}
    );
    server.answer(200, last);
    EXPECT_EQ(run({"audit", "export"}), 0) << err.str();
    EXPECT_EQ(out.str(), first + last);
    EXPECT_THAT(err.str(), HasSubstr("3 entries."));
    EXPECT_THAT(server.requests.at(1).url, HasSubstr("cursor=c1"));
}

TEST_F(AuditCommandsTest, an_export_that_breaks_off_says_so) {
    signed_in();
    server.answer(
        200, entry("one") + "\n", {{"Link", R"(</v1/audit/export?cursor=c1>; rel="next")"}}
    );
    server.fail(Kind::unavailable, net::kUnreachable);
    EXPECT_EQ(run({"audit", "export"}), 5);
    EXPECT_EQ(out.str(), entry("one") + "\n");
    EXPECT_THAT(err.str(), Not(HasSubstr("entries.")));
}

}  // namespace
}  // namespace synapsex::cli::testing
