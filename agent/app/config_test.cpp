#include "agent/app/config.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
    ConfigTest() { write_file(""); }
    void write_file(const std::string& text) { std::ofstream{file_} << text; }
    Result<SettingValues> collect() const {
        return collect_settings({
            .flags = flags_,
            .environment = [this](const char* name) -> const char* {
                const auto found = environment_.find(name);
                return found == environment_.end() ? nullptr : found->second.c_str();
            },
            .config_file = file_,
        });
    }
    Result<AgentConfig> config() const {
        SYNAPSEX_TRY(const auto values, collect());
        return make_config(values);
    }

    synapsex::testing::TemporaryFolder directory_;
    std::string file_ = directory_.path() / "agent.toml";
    std::map<std::string, std::string> flags_;
    std::map<std::string, std::string> environment_;
};

TEST_F(ConfigTest, has_defaults_for_all_but_the_address) {
    const auto made = config();
    ASSERT_TRUE(made);
    EXPECT_EQ(made->data_dir, "/var/lib/synapsex/agent");
    EXPECT_EQ(made->spool_bytes_max, 64U * 1024 * 1024);
    EXPECT_EQ(made->proxy, net::ProxyUse::never);
    EXPECT_EQ(made->url, "");
}

TEST_F(ConfigTest, a_flag_beats_the_environment_which_beats_the_file) {
    write_file("name = 'file'\nspool_mib = 7\nlog_level = 'debug'\n");
    environment_ = {{"SYNAPSEX_AGENT_NAME", "environment"}, {"SYNAPSEX_AGENT_LOG_LEVEL", "error"}};
    flags_ = {{"name", "flag"}};
    const auto made = config();
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->name, "flag");
    EXPECT_EQ(made->log_level, LogLevel::error);
    EXPECT_EQ(made->spool_bytes_max, 7U * 1024 * 1024);
}

TEST_F(ConfigTest, says_what_to_mend) {
    const std::pair<const char*, const char*> cases[] = {
        {"nmae = 'x'", "no setting 'nmae'"},
        {"name = ", "line 1"},
        {"name = ['x']", "'name' must be a text or a number"},
        {"spool_mib = 0", "whole number from 1 to 4096"},
        {"proxy = 'yes'", "'never' or 'environment'"},
        {"log_level = 'loud'", "not 'loud'"},
        {"url = 'http://sx.example'", "https://"},
        {"data_dir = ''", "must not be empty"},
        {"trust_root = 'any'", "synapsexctl trust show"},
        {"authority_pin = 'any'", "synapsex-controlplane keys"},
    };
    for (const auto& [text, complaint] : cases) {
        write_file(text);
        const auto made = config();
        ASSERT_FALSE(made) << text;
        EXPECT_THAT(made.error().detail, HasSubstr(complaint)) << text;
    }
}

TEST_F(ConfigTest, the_vms_administrator_names_the_trust_root_or_none) {
    EXPECT_EQ(config()->trust_root, "");
    const auto root = std::string(42, 'r') + 'E';
    for (const auto& wish : {root, std::string{kNoTrustRoot}}) {
        write_file("trust_root = '" + wish + "'\n");
        EXPECT_EQ(config()->trust_root, wish);
    }
}

TEST_F(ConfigTest, knows_the_operators_token_file_where_the_unit_names_another) {
    write_file("token_file = '/etc/synapsex/enrollment-token'\n");
    EXPECT_EQ(config()->offered_token_file, "") << "it is the one that is read";
    environment_["SYNAPSEX_AGENT_TOKEN_FILE"] = "/var/lib/synapsex/agent/enrollment-token";
    EXPECT_EQ(config()->token_file, "/var/lib/synapsex/agent/enrollment-token");
    EXPECT_EQ(config()->offered_token_file, "/etc/synapsex/enrollment-token");
    flags_ = {{"token_file", "/root/token"}};
    EXPECT_EQ(config()->offered_token_file, "") << "nobody hands over what a flag names";
}

TEST_F(ConfigTest, a_file_that_was_asked_for_must_be_there) {
    file_ = directory_.path() / "missing.toml";
    EXPECT_FALSE(config());
}

TEST_F(ConfigTest, prints_what_it_would_read_again) {
    write_file("name = \"a \\\"quoted\\\" name\"\n");
    const auto printed = print_config(*collect());
    EXPECT_THAT(printed, HasSubstr("name = \"a \\\"quoted\\\" name\"  # file\n"));
    write_file(printed);
    EXPECT_EQ(config()->name, "a \"quoted\" name");
}

TEST_F(ConfigTest, drops_slashes_at_the_end_of_the_address) {
    flags_ = {{"url", "https://sx.example//"}};
    EXPECT_EQ(config()->url, "https://sx.example");
}

}  // namespace
}  // namespace synapsex::agent
