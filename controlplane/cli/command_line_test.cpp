#include <algorithm>
#include <boost/json.hpp>
#include <sstream>

#include "controlplane/cli/terminal.hpp"
#include "controlplane/cli/test_world.hpp"

namespace synapsex::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class CommandLineTest : public CliTest {};

TEST_F(CommandLineTest, a_wrong_command_line_says_what_was_wrong_and_where_help_is) {
    EXPECT_EQ(run({"dance"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("\"dance\" is no command or option of synapsexctl."));
    EXPECT_EQ(run({"vms", "lst"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("\"lst\" is no command or option of synapsexctl vms."));
    EXPECT_THAT(err.str(), HasSubstr("list, get, packages, telemetry, watch"));
    EXPECT_EQ(run({"vms"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("synapsexctl vms needs a command: list, get"));
    EXPECT_EQ(run({"vms", "watch", "--count", "0"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("\"0\" is no whole number from 1 to 1000000."));
    EXPECT_THAT(err.str(), HasSubstr("see synapsexctl vms watch --help"));
    EXPECT_EQ(run({"vms", "list", "--stat", "online"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("Not understood: --stat online."));
    EXPECT_EQ(run({"tokens", "create", "--uses", "1001"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("from 1 to 1000"));
    signed_in();
    EXPECT_EQ(run({"tokens", "create", "--ttl", "59s"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("from 1 min to 30 d"));
    EXPECT_EQ(
        run({"vms", "telemetry", id("vm_"), "--from", "2026-01-02T00:00:00Z", "--to",
             "2026-01-01T00:00:00Z"}),
        2
    );
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(CommandLineTest, a_wrong_command_line_is_a_problem_document_with_json) {
    for (const auto& line : std::vector<std::vector<std::string>>{
             {"dance", "--json"},
             {"--json", "vms"},
             {"vms", "list", "--json", "--limit", "many"},
             {"keys", "create", "--json"},
             {"tokens", "create", "--ttl", "soon", "--json"}}) {
        EXPECT_EQ(run(line), 2);
        EXPECT_EQ(out.str(), "");
        const auto problem = boost::json::parse(err.str());
        EXPECT_EQ(problem.at("code"), "cli.usage");
        EXPECT_FALSE(problem.at("detail").as_string().empty());
    }
}

TEST_F(CommandLineTest, help_is_also_a_word) {
    EXPECT_EQ(run({"help"}), 0);
    EXPECT_THAT(out.str(), HasSubstr("Exit codes"));
    EXPECT_EQ(run({"help", "logout"}), 0);
    EXPECT_THAT(out.str(), HasSubstr("Without --everywhere"));
    EXPECT_EQ(run({"help", "tokens", "create"}), 0);
    EXPECT_THAT(out.str(), AllOf(HasSubstr("--token-file token"), HasSubstr("synapsexctl --help")));
}

TEST_F(CommandLineTest, a_reader_that_has_gone_is_a_quiet_end) {
    signed_in();
    server.answer(200, page("{" + vm_members("web-1") + "}"));
    server.on_request = [this] { out.setstate(std::ios::badbit); };
    is_reader_gone = true;
    EXPECT_EQ(run({"vms", "list"}), 141);
    EXPECT_EQ(err.str(), "");
    is_reader_gone = false;
    server.answer(200, page("{" + vm_members("web-1") + "}"));
    EXPECT_EQ(run({"vms", "list"}), 1) << "a full disk is not";
    EXPECT_THAT(err.str(), HasSubstr("cli.output_unwritable"));
}

TEST_F(CommandLineTest, tables_fit_the_terminal_and_keep_name_and_state_ids_leave_first) {
    signed_in();
    is_terminal = true;
    environment["NO_COLOR"] = "1";
    const auto latest = point_document("2026-01-02T03:04:00Z");
    const auto list = page(
        "{" + vm_members("ip-10-0-12-34.eu-central-1.compute.internal", kUlid, latest) + "}"
    );
    const auto widest_line = [this] {
        std::size_t widest = 0;
        std::istringstream lines{out.str()};
        for (std::string line; std::getline(lines, line);)
            widest = std::max(widest, display_width(line));
        return widest;
    };
    for (const std::size_t columns : {40u, 60u, 80u, 100u, 120u, 140u}) {
        terminal_size.columns = columns;
        server.answer(200, list);
        EXPECT_EQ(run({"vms", "list"}), 0) << err.str();
        EXPECT_LE(widest_line(), columns);
        EXPECT_THAT(out.str(), AllOf(HasSubstr("ip-"), HasSubstr("online")));
        EXPECT_THAT(out.str(), AnyOf(HasSubstr(id("vm_")), Not(HasSubstr("ID")))) << "whole or not";
    }
    terminal_size.columns = 120;
    server.answer(200, list);
    run({"vms", "list"});
    EXPECT_THAT(out.str(), Not(HasSubstr("ID"))) << "the first that leaves";
    EXPECT_THAT(out.str(), AllOf(HasSubstr("CPUS"), HasSubstr("DISK")));
    terminal_size.columns = 200;
    server.answer(200, list);
    run({"vms", "list"});
    EXPECT_THAT(out.str(), HasSubstr(id("vm_")));
    environment["COLUMNS"] = "60";
    server.answer(200, list);
    run({"vms", "list"});
    EXPECT_LE(widest_line(), 60u) << "COLUMNS goes before";
    is_terminal = false;
    server.answer(200, list);
    run({"vms", "list"});
    EXPECT_THAT(out.str(), AllOf(HasSubstr("compute.internal"), HasSubstr("Debian GNU/Linux 12")));
}

TEST_F(CommandLineTest, advice_and_help_name_the_program_as_it_was_called) {
    program = ".quickstart/synapsexctl";
    EXPECT_EQ(run({"vms", "list"}), 3);
    EXPECT_THAT(err.str(), HasSubstr("with .quickstart/synapsexctl login --url"));
    EXPECT_EQ(run({"vms", "lst"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("see .quickstart/synapsexctl vms --help"));
    EXPECT_EQ(run({"tokens", "create", "--help"}), 0);
    EXPECT_THAT(out.str(), HasSubstr("Usage: .quickstart/synapsexctl tokens create"));
    EXPECT_THAT(out.str(), HasSubstr("token=$(.quickstart/synapsexctl tokens create)"));
    EXPECT_EQ(run({"--version"}), 0);
    EXPECT_THAT(out.str(), StartsWith("synapsexctl "));
    signed_in();
    server.answer(200, page(""));
    EXPECT_EQ(run({"vms", "get", "web-1"}), 4);
    EXPECT_THAT(err.str(), HasSubstr("See .quickstart/synapsexctl vms list."));
    server.answer(200, page(""));
    EXPECT_EQ(run({"keys", "list"}), 0);
    EXPECT_THAT(err.str(), HasSubstr("Make one with .quickstart/synapsexctl keys create."));
}

TEST_F(CommandLineTest, what_is_no_address_is_refused_before_anybody_is_told_to_sign_in_there) {
    EXPECT_EQ(run({"--url", "ftp://x", "vms", "list"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("The scheme 'ftp' is not https or http."));
    EXPECT_THAT(err.str(), Not(HasSubstr("login")));
    environment["SYNAPSEX_URL"] = "http://sx.example";
    EXPECT_EQ(run({"vms", "list"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("use https:// for 'sx.example'"));
}

TEST_F(CommandLineTest, the_environment_may_name_the_file_of_the_sign_in) {
    environment["SYNAPSEX_CREDENTIALS"] = "/none/file";
    signed_in();
    EXPECT_EQ(run({"vms", "list"}), 3);
    EXPECT_EQ(run({"--profile", "work", "logout"}), 0) << "a profile goes before";
    environment["SYNAPSEX_CREDENTIALS"] = credentials_file().path().string();
    environment.erase("HOME");
    server.answer(200, page(""));
    EXPECT_EQ(run({"vms", "list"}), 0) << err.str();
    EXPECT_EQ(run({"--credentials", "/none/file", "vms", "list"}), 3) << "and so does the option";
}

TEST_F(CommandLineTest, advice_to_sign_in_names_the_sign_in_that_was_looked_for) {
    EXPECT_EQ(run({"--profile", "work", "vms", "list"}), 3);
    EXPECT_THAT(err.str(), HasSubstr("login --url http://127.0.0.1:8080 --profile work\n"));
    EXPECT_EQ(run({"--credentials", "/none/file", "vms", "list"}), 3);
    EXPECT_THAT(err.str(), HasSubstr("--credentials /none/file\n"));
}

TEST_F(CommandLineTest, an_id_of_the_other_kind_is_told) {
    signed_in();
    EXPECT_EQ(run({"vms", "get", id("agt_")}), 2);
    EXPECT_THAT(err.str(), HasSubstr("is an agent's id"));
    EXPECT_EQ(run({"agents", "get", id("vm_")}), 2);
    EXPECT_THAT(err.str(), HasSubstr("is a VM's id"));
    EXPECT_THAT(server.requests, IsEmpty());
}

}  // namespace
}  // namespace synapsex::cli::testing
