#include "agent/app/proxy_choice.hpp"

#include <array>
#include <string_view>

#include "shared/net/url_rules.hpp"

namespace synapsex::agent {

namespace {

std::string value_of(const char* text) { return text == nullptr ? std::string{} : text; }

bool is_excepted(std::string_view host, std::string_view list) {
    if (list == "*") return true;
    while (!list.empty()) {
        const auto end = list.find_first_of(", ");
        auto name = list.substr(0, end);
        list.remove_prefix(end == list.npos ? list.size() : end + 1);
        if (name.starts_with('.')) name.remove_prefix(1);
        if (name.empty() || !host.ends_with(name)) continue;
        if (host.size() == name.size() || host[host.size() - name.size() - 1] == '.') return true;
    }
    return false;
}

}  // namespace

std::optional<ProxyChoice> choose_proxy(
    const std::string& url, const std::function<const char*(const char*)>& environment
) {
    const auto parts = net::split_url(url);
    if (!parts) return std::nullopt;
    auto exceptions = value_of(environment("no_proxy"));
    if (exceptions.empty()) exceptions = value_of(environment("NO_PROXY"));
    if (is_excepted(parts->host, exceptions)) return std::nullopt;
    const bool is_tls = parts->scheme == "https";
    const std::array<const char*, 4> variables{
        is_tls ? "https_proxy" : "http_proxy", is_tls ? "HTTPS_PROXY" : "http_proxy", "all_proxy",
        "ALL_PROXY"
    };
    for (const auto* variable : variables) {
        auto text = value_of(environment(variable));
        if (text.empty()) continue;
        const auto scheme = text.find("://");
        auto authority = scheme == text.npos ? text : text.substr(scheme + 3);
        authority.resize(std::min(authority.find('/'), authority.size()));
        // A password may hold an @ that is not escaped: the last one counts.
        if (const auto at = authority.rfind('@'); at != authority.npos) authority.erase(0, at + 1);
        auto host = authority.substr(0, authority.rfind(':'));
        if (authority.ends_with(']')) host = authority;
        return ProxyChoice{variable, authority, std::move(host)};
    }
    return std::nullopt;
}

}  // namespace synapsex::agent
