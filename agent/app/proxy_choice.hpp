#pragma once

// Which proxy of the environment libcurl takes for a URL, so that it can be told. libcurl itself
// decides; this follows its rules: https_proxy, HTTPS_PROXY or http_proxy, else all_proxy or
// ALL_PROXY, unless no_proxy or NO_PROXY names the host.

#include <array>
#include <functional>
#include <optional>
#include <string>

namespace synapsex::agent {

// All that count.
inline constexpr std::array kProxyVariables{
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"
};

struct ProxyChoice {
    std::string variable;  // "https_proxy"
    std::string shown;     // without user and password
    std::string host;
};

std::optional<ProxyChoice> choose_proxy(
    const std::string& url, const std::function<const char*(const char*)>& environment
);

}  // namespace synapsex::agent
