#include "agent/app/proxy_choice.hpp"

#include <map>

#include <gtest/gtest.h>

namespace synapsex::agent {
namespace {

std::optional<ProxyChoice> choose(
    const std::string& url, const std::map<std::string, std::string>& variables
) {
    return choose_proxy(url, [&](const char* name) -> const char* {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
    });
}

TEST(ProxyChoice, is_told_without_user_and_password) {
    const auto proxy = choose(
        "https://cp.example.com:8443", {{"https_proxy", "http://user:p@ss@proxy.example.com:3128/"}}
    );
    ASSERT_TRUE(proxy);
    EXPECT_EQ(proxy->shown, "proxy.example.com:3128");
    EXPECT_EQ(proxy->host, "proxy.example.com");
    EXPECT_EQ(proxy->variable, "https_proxy");
}

TEST(ProxyChoice, follows_the_scheme_and_no_proxy) {
    EXPECT_FALSE(choose("http://127.0.0.1:8080", {{"https_proxy", "p:1"}}));
    EXPECT_TRUE(choose("http://127.0.0.1:8080", {{"http_proxy", "p:1"}}));
    EXPECT_TRUE(choose("https://a.example.com", {{"all_proxy", "p:1"}, {"no_proxy", "ample.com"}}));
    for (const auto* list : {"*", "example.com", ".example.com", "x, a.example.com"})
        EXPECT_FALSE(choose("https://a.example.com", {{"all_proxy", "p:1"}, {"no_proxy", list}}))
            << list;
}

}  // namespace
}  // namespace synapsex::agent
