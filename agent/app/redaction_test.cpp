#include "agent/app/redaction.hpp"

#include <gtest/gtest.h>

namespace synapsex::agent {
namespace {

const std::string kId = "01J00000000000000000000000";
const std::string kSecret = "CanaryCanaryCanaryCanaryCanary12";

TEST(Redaction, takes_out_what_looks_like_a_secret_and_leaves_the_rest) {
    const Redaction redaction;
    const std::pair<std::string, std::string> texts[]{
        {"token sxe_" + kId + "." + kSecret + ".pin-pin.root here",
         "token sxe_" + kId + ".[redacted] here"},
        {"key sk_sx_" + kSecret, "key sk_sx_[redacted]"},
        {"Authorization: Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln, next",
         "Authorization: Bearer eyJ[redacted], next"},
        {"via http://user:p@ss@proxy:3128/ and https://cp.example.com:8443/x",
         "via http://[redacted]@proxy:3128/ and https://cp.example.com:8443/x"},
        {"https_proxy=http://u:pa,ss'word@proxy:3128",
         "https_proxy=http://[redacted]@proxy:3128"},
        {"-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\nafter",
         "-----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY-----\nafter"},
        {"-----BEGIN PRIVATE KEY-----\nMC4CAQ", "-----BEGIN PRIVATE KEY-----[redacted]"},
        {R"({"password":"x y","Token": "abc","agentId":"agt_1"})",
         R"({"password":"[redacted] y","Token": "[redacted]","agentId":"agt_1"})"},
        {"client_assertion=" + kSecret, "client_assertion=[redacted]"},
        {"the token was refused; sxe_ and eyJ are prefixes", {}},
    };
    for (const auto& [given, wanted] : texts)
        EXPECT_EQ(redaction.apply(given), wanted.empty() ? given : wanted);
}

TEST(Redaction, takes_out_what_is_known_in_every_form) {
    Redaction redaction;
    redaction.add_known(kSecret);
    redaction.add_known("short");
    EXPECT_EQ(redaction.apply("a " + kSecret + " b"), "a [redacted] b");
    EXPECT_EQ(redaction.apply("Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5MTI"), "[redacted]");
    EXPECT_EQ(redaction.apply("a short b"), "a short b");
}

TEST(Redaction, learns_from_variables_what_may_be_a_secret) {
    Redaction redaction;
    redaction.add_variable("https_proxy", "http://jane:p@ss-word:1@proxy:3128/");
    redaction.add_variable("all_proxy", "j:without-a-scheme@proxy:3128");
    redaction.add_variable("MY_API_KEY", "value-of-a-key");
    redaction.add_variable("SIGNING_KEY", "/base64+that/begins=so");
    redaction.add_variable("DB_PWD", "pwd-of-a-database");
    redaction.add_variable("KEY_FILE", "/etc/ssl/private/my.key");
    redaction.add_variable("no_proxy", "example.com,jane@example.com");
    redaction.add_variable("http_proxy", "http://proxy:3128");
    EXPECT_EQ(
        redaction.apply("p@ss-word:1, without-a-scheme, value-of-a-key"),
        "[redacted], [redacted], [redacted]"
    );
    EXPECT_EQ(
        redaction.apply("/base64+that/begins=so, pwd-of-a-database"), "[redacted], [redacted]"
    );
    const auto* harmless = "/etc/ssl/private/my.key example.com,jane@example.com http://proxy:3128";
    EXPECT_EQ(redaction.apply(harmless), harmless);
}

TEST(Redaction, comes_to_its_end_whatever_the_text) {
    const Redaction redaction;
    std::string hostile;
    for (int i = 0; i < 20'000; ++i) hostile += "://@PRIVATE KEY-----sxe_eyJtoken=password=";
    EXPECT_FALSE(redaction.apply(hostile).empty());
    EXPECT_EQ(redaction.apply(""), "");
}

}  // namespace
}  // namespace synapsex::agent
