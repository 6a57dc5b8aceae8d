#include "agent/app/config.hpp"

#include <algorithm>
#include <charconv>

// One unit alone includes it, so the parser is compiled in: a shared library more would cost the
// running agent memory for what happens once.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "shared/crypto/public_key_pin.hpp"
#include "shared/crypto/trust_root.hpp"
#include "shared/net/url_rules.hpp"

namespace synapsex::agent {

namespace {

Problem invalid(std::string detail) {
    return {
        .kind = Kind::invalid, .code = "agent.config_invalid", .detail = std::move(detail)
    };
}

std::string text_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    return {};
}

Result<std::map<std::string, std::string>> read_file(const std::string& path) {
    const auto parsed = toml::parse_file(path);
    if (!parsed) {
        const auto& error = parsed.error();
        return invalid(path + ", line " + std::to_string(error.source().begin.line) + ": " +
                       std::string{error.description()});
    }
    std::map<std::string, std::string> values;
    for (const auto& [key, node] : parsed.table()) {
        const std::string name{key.str()};
        if (std::ranges::find(kSettings, name, &Setting::key) == kSettings.end())
            return invalid(path + ": there is no setting '" + name + "'.");
        if (!node.is_string() && !node.is_integer())
            return invalid(path + ": '" + name + "' must be a text or a number.");
        values[name] = text_of(node);
    }
    return values;
}

Result<std::map<std::string, std::string>> read_config_file(const ConfigSources& sources) {
    std::string path = sources.config_file;
    if (path.empty())
        if (const char* named = sources.environment(kConfigFileEnvironment)) path = named;
    std::error_code error;
    // A file that was asked for must be there; the default one need not.
    if (path.empty() && !std::filesystem::exists(kDefaultConfigFile, error))
        return std::map<std::string, std::string>{};
    return read_file(path.empty() ? kDefaultConfigFile : path);
}

SettingValue value_of(
    const Setting& setting,
    const ConfigSources& sources,
    const std::map<std::string, std::string>& file
) {
    const auto line = file.find(setting.key);
    const auto in_file = line == file.end() ? std::string{} : line->second;
    if (const auto flag = sources.flags.find(setting.key); flag != sources.flags.end())
        return {flag->second, "flag", in_file};
    if (const char* text = sources.environment(setting.environment))
        return {text, "environment", in_file};
    if (line != file.end()) return {in_file, "file", in_file};
    return {setting.fallback, "default"};
}

Result<net::ProxyUse> parse_proxy(const std::string& text) {
    if (text == "never") return net::ProxyUse::never;
    if (text == "environment") return net::ProxyUse::environment;
    return invalid("proxy is 'never' or 'environment', not '" + text + "'.");
}

Result<std::size_t> parse_spool_bytes(const std::string& text) {
    std::size_t mib = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, mib);
    if (read.ec != std::errc{} || read.ptr != end || mib < 1 || mib > 4096)
        return invalid("spool_mib is a whole number from 1 to 4096, not '" + text + "'.");
    return mib * 1024 * 1024;
}

Result<LogLevel> parse_log_level(const std::string& text) {
    if (text == "debug") return LogLevel::debug;
    if (text == "info") return LogLevel::info;
    if (text == "warning") return LogLevel::warning;
    if (text == "error") return LogLevel::error;
    return invalid("log_level is debug, info, warning or error, not '" + text + "'.");
}

Result<std::string> parse_authority_pin(const std::string& text) {
    if (text.empty() || text == kNoAuthorityPin || crypto::is_public_key_pin(text)) return text;
    return invalid(
        "authority_pin is what `synapsex-controlplane keys` shows for the authority, 43 "
        "characters, or 'none', not '" + text + "'."
    );
}

Result<std::string> parse_trust_root(const std::string& text) {
    const bool is_none = text.empty() || text == kNoTrustRoot;
    if (is_none || crypto::is_trust_root_fingerprint(text)) return text;
    return invalid(
        "trust_root is the fingerprint that `synapsexctl trust show` shows, 43 characters, or "
        "'none', not '" + text + "'."
    );
}

Result<std::string> parse_url(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    if (url.empty()) return url;
    SYNAPSEX_CHECK(net::check_url(url));
    return url;
}

}  // namespace

Result<SettingValues> collect_settings(const ConfigSources& sources) {
    SYNAPSEX_TRY(const auto file, read_config_file(sources));
    SettingValues values;
    for (const auto& setting : kSettings) values[setting.key] = value_of(setting, sources, file);
    return values;
}

Result<AgentConfig> make_config(const SettingValues& values) {
    const auto text = [&](std::string_view key) { return values.find(key)->second.text; };
    SYNAPSEX_TRY(const auto url, parse_url(text("url")));
    SYNAPSEX_TRY(const auto authority_pin, parse_authority_pin(text("authority_pin")));
    SYNAPSEX_TRY(const auto trust_root, parse_trust_root(text("trust_root")));
    SYNAPSEX_TRY(const auto proxy, parse_proxy(text("proxy")));
    SYNAPSEX_TRY(const auto spool_bytes_max, parse_spool_bytes(text("spool_mib")));
    SYNAPSEX_TRY(const auto log_level, parse_log_level(text("log_level")));
    const auto& token_file = values.find("token_file")->second;
    const bool is_handed_over = std::string_view{token_file.source} == "environment" &&
                                token_file.in_file != token_file.text;
    if (text("data_dir").empty() || text("run_dir").empty())
        return invalid("data_dir and run_dir must not be empty.");
    return AgentConfig{
        .url = url,
        .token_file = token_file.text,
        .offered_token_file = is_handed_over ? token_file.in_file : "",
        .name = text("name"),
        .data_dir = text("data_dir"),
        .run_dir = text("run_dir"),
        .ca_file = text("ca_file"),
        .authority_pin = authority_pin,
        .trust_root = trust_root,
        .proxy = proxy,
        .spool_bytes_max = spool_bytes_max,
        .log_level = log_level,
    };
}

std::string print_config(const SettingValues& values) {
    std::string out;
    for (const auto& setting : kSettings) {
        const auto& value = values.find(std::string_view{setting.key})->second;
        out += std::string{setting.key} + " = ";
        append_json_string(out, value.text);  // TOML's basic strings are JSON's
        out += std::string{"  # "} + value.source + "\n";
    }
    return out;
}

}  // namespace synapsex::agent
