// What installs the agent with a new token: that shells and readers of YAML find in it what was
// meant, and nothing else. That it does install one is told in tests/vm.

#include <sys/stat.h>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <memory>

#include "controlplane/cli/installation.hpp"
#include "controlplane/cli/test_world.hpp"

namespace synapsex::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kPem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

class InstallationTest : public CliTest {
 protected:
    // Runs the script with another main than the installer's: one that says what it is given.
    std::string said_by(const Installation& installation, const std::string& arguments = {}) {
        auto script = installation_script(installation);
        script.insert(
            script.rfind("\nmain "),
            "\nmain() { for word; do printf '[%s]' \"$word\"; done; printf ' token=%s' \"$(cat)\"; "
            "[ ! -e /dev/fd/3 ] || printf ' authorities=%s' \"$(cat /dev/fd/3)\"; }"
        );
        const auto path = home / "script";
        std::ofstream{path} << script;
        std::string said;
        const std::string command = "sh -s -- " + arguments + " <'" + path.string() + "' 3<&-";
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe{
            ::popen(command.c_str(), "r"), ::pclose};
        std::array<char, 4096> part{};
        while (std::fgets(part.data(), part.size(), pipe.get()) != nullptr) said += part.data();
        return said;
    }
    void give_token(const std::string& token) {
        server.answer(
            201,
            R"({"id":")" + id("ent_") +
                R"(","name":"","usesMax":1,"createdAt":)"
                R"("2026-01-02T03:04:05Z","expiresAt":"2026-01-02T05:04:05Z","token":)" +
                boost::json::serialize(boost::json::value(token)) + "}"
        );
    }
};

TEST_F(InstallationTest, a_script_calls_the_installer_with_the_token_on_standard_input) {
    EXPECT_EQ(
        said_by({.url = "https://cp.example:8443", .token = "sxe_a.b"}, "--deb './a b.deb'"),
        "[--url][https://cp.example:8443][--token-file][-][--deb][./a b.deb] token=sxe_a.b"
    );
}

TEST_F(InstallationTest, whatever_stands_in_an_argument_is_one_word) {
    const std::string evil = "a'; touch \"$HOME\"/x `id` $(id) \\\n*";
    EXPECT_EQ(
        said_by({.url = "https://cp.example", .token = "sxe_a.b", .arguments = {"--name", evil}}),
        "[--url][https://cp.example][--token-file][-][--name][" + evil + "] token=sxe_a.b"
    );
}

TEST_F(InstallationTest, authorities_come_by_a_descriptor_of_their_own) {
    EXPECT_EQ(
        said_by({.url = "https://cp.example", .token = "sxe_a.b", .authorities = kPem}),
        "[--url][https://cp.example][--token-file][-][--ca-file][/dev/fd/3] token=sxe_a.b "
        "authorities=-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    );
}

TEST_F(InstallationTest, a_script_that_was_cut_off_before_its_end_does_nothing) {
    const auto script = installation_script({.url = "https://cp.example", .token = "sxe_a.b"});
    EXPECT_THAT(script, StartsWith("#!/bin/sh\n# Installs the SynapseX agent."));
    // Outside of functions it sets options and constants.
    const auto call = script.rfind("\nmain '--url'");
    ASSERT_NE(call, script.npos);
    EXPECT_EQ(
        script.substr(call),
        "\nmain '--url' 'https://cp.example' '--token-file' '-' \"$@\" <<'SYNAPSEX_TOKEN'\n"
        "sxe_a.b\nSYNAPSEX_TOKEN\n"
    );
    EXPECT_EQ(script.find("\nmain \"$@\""), script.npos);
}

// A strict reading of what is written: entries of write_files whose content is a literal block.
std::map<std::string, std::string> files_of(const std::string& document) {
    std::map<std::string, std::string> files;
    std::string path;
    bool is_content = false;
    std::istringstream lines{document};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("  - path: ")) {
            path = line.substr(10);
            is_content = false;
        } else if (line == "    content: |") {
            is_content = true;
        } else if (line.starts_with("runcmd:")) {
            break;
        } else if (is_content) {
            EXPECT_TRUE(line.empty() || line.starts_with("      ")) << line;
            files[path] += (line.empty() ? line : line.substr(6)) + "\n";
        }
    }
    return files;
}

TEST_F(InstallationTest, cloud_config_writes_token_and_installer_and_runs_it) {
    const auto document = installation_cloud_config(
        {.url = "https://cp.example",
         .token = "sxe_a.b",
         .authorities = kPem,
         .arguments = {"--name", "a \"b\" \\ \u00e4"}}
    );
    EXPECT_THAT(document, StartsWith("#cloud-config\n"));
    const auto files = files_of(document);
    EXPECT_EQ(files.at("/run/synapsex-install/token"), "sxe_a.b\n");
    EXPECT_EQ(files.at("/run/synapsex-install/authorities.pem"), kPem);
    EXPECT_EQ(files.at("/run/synapsex-install/install-agent.sh"), text_of(SYNAPSEX_INSTALLER));
    EXPECT_THAT(document, HasSubstr("token\n    owner: root:root\n    permissions: '0600'\n"));
    const auto command = document.substr(document.rfind("  - ") + 4);
    std::vector<std::string> words;
    const auto parsed = boost::json::parse(command);
    for (const auto& word : parsed.as_array()) words.emplace_back(word.as_string());
    EXPECT_THAT(
        words,
        ElementsAre(
            "sh",
            "/run/synapsex-install/install-agent.sh",
            "--url",
            "https://cp.example",
            "--token-file",
            "/run/synapsex-install/token",
            "--ca-file",
            "/run/synapsex-install/authorities.pem",
            "--name",
            "a \"b\" \\ \u00e4"
        )
    );
}

TEST_F(InstallationTest, tokens_create_prints_it_and_nothing_else) {
    signed_in("https://cp.example:8443");
    give_token("sxe_a.b");
    EXPECT_EQ(run({"tokens", "create", "--print", "script", "--", "--name", "web 1"}), 0)
        << err.str();
    EXPECT_EQ(
        out.str(),
        installation_script(
            {.url = "https://cp.example:8443", .token = "sxe_a.b", .arguments = {"--name", "web 1"}}
        )
    );
    EXPECT_THAT(err.str(), AllOf(HasSubstr("It is not shown again."), Not(HasSubstr("sxe_a"))));
    give_token("sxe_a.b");
    EXPECT_EQ(run({"tokens", "create", "--print", "cloud-init"}), 0);
    EXPECT_EQ(
        out.str(), installation_cloud_config({.url = "https://cp.example:8443", .token = "sxe_a.b"})
    );
}

TEST_F(InstallationTest, the_authorities_of_the_sign_in_come_along_unless_the_token_names_one) {
    const auto ca_file = home / "ca.crt";
    std::ofstream{ca_file} << kPem;
    ASSERT_TRUE(credentials_file().save(
        {.url = "https://cp.example",
         .email = "ada@example.com",
         .access_token = "old",
         .refresh_token = "r1",
         .ca_file = ca_file.string()}
    ));
    give_token("sxe_a.b");
    EXPECT_EQ(run({"tokens", "create", "--print", "script"}), 0) << err.str();
    EXPECT_THAT(out.str(), AllOf(HasSubstr("'/dev/fd/3'"), HasSubstr(kPem)));
    give_token(
        "sxe_" + std::string{"01JGJZ2M1XQ3V5N8B7W6T4R2E0."} + std::string(32, 'b') + "." +
        std::string(43, 'c')
    );
    EXPECT_EQ(run({"tokens", "create", "--print", "script"}), 0) << err.str();
    EXPECT_THAT(out.str(), Not(HasSubstr(kPem)));
    std::ofstream{ca_file} << "\x30\x82";
    EXPECT_EQ(run({"tokens", "create", "--print", "script"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("is no PEM file with certificates."));
}

TEST_F(InstallationTest, what_does_not_go_together_is_said_before_there_is_a_token) {
    signed_in();
    for (const auto& line : std::vector<std::vector<std::string>>{
             {"tokens", "create", "--print", "script", "--token-file", (home / "t").string()},
             {"tokens", "create", "--print", "script", "--json"},
             {"tokens", "create", "--print", "powershell"},
             {"tokens", "create", "--", "--deb", "x.deb"},
             {"tokens", "create", "--print", "script", "--deb", "x.deb"}})
        EXPECT_EQ(run(line), 2) << line.back();
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(InstallationTest, a_server_of_this_machine_alone_is_noted) {
    signed_in("http://127.0.0.1:8080");
    give_token("sxe_a.b");
    EXPECT_EQ(run({"tokens", "create", "--print", "script"}), 0);
    EXPECT_THAT(err.str(), HasSubstr("http://127.0.0.1:8080 leads to this machine only."));
}

TEST_F(InstallationTest, what_a_server_sends_as_a_token_commands_no_shell) {
    signed_in();
    for (const auto* token : {"sxe_a.b\nSYNAPSEX_TOKEN\nid\n", "sxe_a b", "sxe_$(id)"}) {
        give_token(token);
        server.answer(204, "");
        EXPECT_EQ(run({"tokens", "create", "--print", "script"}), 1);
        EXPECT_EQ(out.str(), "");
        EXPECT_EQ(server.requests.back().method, "DELETE");
    }
}

}  // namespace
}  // namespace synapsex::cli::testing
