#include "controlplane/app/config.hpp"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "controlplane/app/config_settings.hpp"
#include "shared/net/url_rules.hpp"

namespace synapsex::app {

namespace {

// A value and where it was said: "--listen", "SYNAPSEX_LISTEN", "/etc/…/controlplane.toml".
struct Sourced {
    std::string text;
    std::string source;
};

// A TOML value as the text that a flag would have.
std::optional<std::string> text_of(const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
    if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
    return std::nullopt;
}

Problem file_problem(const std::filesystem::path& file, const std::string& why) {
    return {Kind::invalid, "config.file_unreadable", file.string() + ": " + why};
}

Result<SettingValues> read_file(const std::filesystem::path& file) {
    SettingValues values;
    if (file.empty()) return values;
    const auto parsed = toml::parse_file(file.string());
    if (!parsed) {
        const auto& error = parsed.error();
        return file_problem(
            file, "line " + std::to_string(error.source().begin.line) + ": " +
                      std::string{error.description()}
        );
    }
    for (const auto& [key, node] : parsed.table()) {
        std::string name{key.str()};
        for (char& c : name)
            if (c == '_') c = '-';
        bool is_known = false;
        for (const auto& setting : setting_table())
            is_known = is_known || setting.info.name == name;
        if (!is_known) return file_problem(file, "there is no setting " + std::string{key.str()});
        const auto text = text_of(node);
        if (!text)
            return file_problem(
                file, std::string{key.str()} + " is no text, number, true or false"
            );
        values[name] = *text;
    }
    return values;
}

Result<std::map<std::string, Sourced>> resolve(const ConfigSources& sources) {
    SYNAPSEX_TRY(const auto file, read_file(sources.file));
    std::map<std::string, Sourced> resolved;
    for (const auto& [info, apply] : setting_table()) {
        auto& value = resolved[info.name];
        value = {info.default_text, "default"};
        if (const auto found = file.find(info.name); found != file.end())
            value = {found->second, sources.file.string()};
        if (const auto found = sources.environment(info.environment))
            value = {*found, info.environment};
        if (const auto found = sources.flags.find(info.name); found != sources.flags.end())
            value = {found->second, "--" + info.name};
    }
    return resolved;
}

void add_problem(Problem& problem, const std::string& where, const std::string& why) {
    problem.errors.push_back({where, "invalid", why});
    if (!problem.detail.empty()) problem.detail += "; ";
    problem.detail += where + ": " + why;
}

// What TLS takes together.
void check_tls(Config& config, Problem& problem) {
    if (config.tls_certificate.empty() != config.tls_key.empty())
        add_problem(problem, "tls-certificate", "goes with tls-key: give both or none");
    if (!config.tls_authority.empty() && config.tls_certificate.empty())
        add_problem(
            problem, "tls-authority", "is the authority of tls-certificate: give that, too"
        );
    if (!config.tls_names.empty() && !config.tls_certificate.empty())
        add_problem(
            problem, "tls-names", "is for the own certificate; that of tls-certificate has its own"
        );
    if (!config.has_tls()) return;
    constexpr auto kNeedsUrl =
        "needs a public-url with https://: how clients and agents reach this server";
    if (config.public_url.empty()) return add_problem(problem, "listen-tls", kNeedsUrl);
    const auto url = net::split_url(config.public_url);
    if (!url) return add_problem(problem, "public-url", url.error().detail);
    const bool is_ipv6 = url->host.starts_with('[');
    if (config.tls_names.empty())
        config.tls_names = {is_ipv6 ? url->host.substr(1, url->host.size() - 2) : url->host};
    if (!config.public_url.starts_with("https://")) add_problem(problem, "listen-tls", kNeedsUrl);
}

}  // namespace

std::string without_password(const std::string& text) {
    const auto scheme = text.find("://");
    const auto at = text.rfind('@');
    if (scheme == text.npos || at == text.npos) return text;
    const auto colon = text.find(':', scheme + 3);
    if (colon == text.npos || colon > at) return text;
    return text.substr(0, colon + 1) + "***" + text.substr(at);
}

const std::string& Config::database_url_of(const std::string& service) const {
    const auto found = service_database_urls.find(service);
    return found == service_database_urls.end() ? database_url : found->second;
}

const std::string& Config::database_listen_url_of(const std::string& service) const {
    const auto own = service_database_listen_urls.find(service);
    if (own != service_database_listen_urls.end()) return own->second;
    const bool has_own_database = service_database_urls.contains(service);
    return has_own_database || database_listen_url.empty() ? database_url_of(service)
                                                           : database_listen_url;
}

std::string Config::listen_endpoint() const {
    const bool is_ipv6 = listen_address.find(':') != std::string::npos;
    const auto host = is_ipv6 ? "[" + listen_address + "]" : listen_address;
    return host + ":" + std::to_string(listen_port);
}

const std::vector<SettingInfo>& settings() {
    static const auto kSettings = [] {
        std::vector<SettingInfo> infos;
        for (const auto& setting : setting_table()) infos.push_back(setting.info);
        return infos;
    }();
    return kSettings;
}

Result<Config> load_config(const ConfigSources& sources) {
    SYNAPSEX_TRY(const auto resolved, resolve(sources));
    Config config;
    Problem problem{Kind::invalid, "config.invalid", ""};
    for (const auto& [info, apply] : setting_table()) {
        const auto& value = resolved.at(info.name);
        const auto why_not = apply(config, value.text);
        if (!why_not) continue;
        const auto where = value.source == "default" ? info.name : value.source;
        add_problem(problem, where, "\"" + without_password(value.text) + "\" " + *why_not);
    }
    check_tls(config, problem);
    if (!problem.errors.empty()) return problem;
    if (config.database_url.empty())
        config.database_url = "sqlite://" + (config.data_dir / "controlplane.db").string();
    config.is_public_url_given = !config.public_url.empty();
    if (!config.is_public_url_given) config.public_url = "http://" + config.listen_endpoint();
    return config;
}

Result<std::string> print_config(const ConfigSources& sources) {
    SYNAPSEX_TRY(const auto resolved, resolve(sources));
    std::string text;
    for (const auto& setting : settings()) {
        const auto& value = resolved.at(setting.name);
        std::string key = setting.name;
        for (char& c : key)
            if (c == '-') c = '_';
        text += key + " = ";
        append_json_string(text, without_password(value.text));
        text += "  # " + value.source + "\n";
    }
    return text;
}

}  // namespace synapsex::app
