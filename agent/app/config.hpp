#pragma once

// The agent's settings, from four places: a flag beats the environment, the environment beats
// agent.toml, and that beats the default. Each setting is one row of kSettings; the flags, the
// variables, the file's keys and --print-config are made from it. The agent never writes
// agent.toml.

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "shared/base/log.hpp"
#include "shared/base/result.hpp"
#include "shared/net/curl_http_client.hpp"

namespace synapsex::agent {

struct Setting {
    const char* key;          // in agent.toml: "token_file"
    const char* flag;         // "--token-file"
    const char* environment;  // "SYNAPSEX_AGENT_TOKEN_FILE"
    const char* fallback;
    const char* help;
};

inline constexpr std::array kSettings{
    Setting{"url", "--url", "SYNAPSEX_AGENT_URL", "",
            "address of the control plane, https://host[:port]"},
    Setting{"token_file", "--token-file", "SYNAPSEX_AGENT_TOKEN_FILE", "",
            "file with the enrollment token; erased once it is used"},
    Setting{"name", "--name", "SYNAPSEX_AGENT_NAME", "",
            "name of this VM in the fleet; the host name if empty"},
    Setting{"data_dir", "--data-dir", "SYNAPSEX_AGENT_DATA_DIR", "/var/lib/synapsex/agent",
            "key, identity and spool"},
    Setting{"run_dir", "--run-dir", "SYNAPSEX_AGENT_RUN_DIR", "/run/synapsex",
            "sockets and pid files"},
    Setting{"ca_file", "--ca-file", "SYNAPSEX_AGENT_CA_FILE", "",
            "PEM file with the authorities to trust instead of the system's"},
    Setting{"authority_pin", "--authority-pin", "SYNAPSEX_AGENT_AUTHORITY_PIN", "",
            "public key of the control plane's authority instead of the one that the token named; "
            "'none': the system's authorities, or ca_file"},
    Setting{"trust_root", "--trust-root", "SYNAPSEX_AGENT_TRUST_ROOT", "",
            "fingerprint of the operators' trust root instead of the one that was pinned at "
            "enrollment; 'none': none counts"},
    Setting{"proxy", "--proxy", "SYNAPSEX_AGENT_PROXY", "never",
            "never, or environment: honour http_proxy, https_proxy and no_proxy"},
    Setting{"spool_mib", "--spool-mib", "SYNAPSEX_AGENT_SPOOL_MIB", "64",
            "the most that unsent telemetry may take on disk, 1 to 4096"},
    Setting{"log_level", "--log-level", "SYNAPSEX_AGENT_LOG_LEVEL", "info",
            "debug, info, warning or error"},
};

inline constexpr std::string_view kNoAuthorityPin = "none";
inline constexpr std::string_view kNoTrustRoot = "none";
inline constexpr const char* kDefaultConfigFile = "/etc/synapsex/agent.toml";
inline constexpr const char* kConfigFileEnvironment = "SYNAPSEX_AGENT_CONFIG";

struct AgentConfig {
    std::string url;
    std::filesystem::path token_file;
    // What agent.toml has of that, where the environment has another (the unit, which hands the one
    // over as the other before the agent starts).
    std::filesystem::path offered_token_file{};
    std::string name;
    std::filesystem::path data_dir;
    std::filesystem::path run_dir;
    std::string ca_file;
    std::string authority_pin;
    std::string trust_root;  // empty: the one that was pinned at enrollment
    net::ProxyUse proxy = net::ProxyUse::never;
    std::size_t spool_bytes_max = 0;
    LogLevel log_level = LogLevel::info;
};

// What each setting is, by key, and where it comes from ("flag", "environment", "file", "default").
struct SettingValue {
    std::string text;
    const char* source;
    std::string in_file{};  // what agent.toml has, also where that does not count
};
using SettingValues = std::map<std::string, SettingValue, std::less<>>;

struct ConfigSources {
    std::map<std::string, std::string> flags;  // by key
    std::function<const char*(const char*)> environment;
    std::string config_file;  // empty: the default one, if it is there
};

// Fails with agent.config_invalid and a sentence that names the place and what to mend.
Result<SettingValues> collect_settings(const ConfigSources& sources);
Result<AgentConfig> make_config(const SettingValues& values);

// As agent.toml, each line with its source in a comment.
std::string print_config(const SettingValues& values);

}  // namespace synapsex::agent
