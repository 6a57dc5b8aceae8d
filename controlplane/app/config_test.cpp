#include "controlplane/app/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::app {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
    std::filesystem::path write_file(const std::string& text) {
        const auto written = folder.path() / "controlplane.toml";
        std::ofstream{written} << text;
        return written;
    }
    ConfigSources sources() {
        const auto read = [this](const std::string& name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            if (found == environment.end()) return std::nullopt;
            return found->second;
        };
        return {flags, read, file};
    }

    testing::TemporaryFolder folder;
    SettingValues flags;
    std::map<std::string, std::string> environment;
    std::filesystem::path file;
};

TEST_F(ConfigTest, has_defaults_that_serve_on_loopback_with_sqlite) {
    const auto config = load_config(sources()).value();
    EXPECT_EQ(config.listen_address, "127.0.0.1");
    EXPECT_EQ(config.listen_port, 8080);
    EXPECT_EQ(config.public_url, "http://127.0.0.1:8080");
    EXPECT_EQ(config.database_url, "sqlite:///var/lib/synapsex/controlplane/controlplane.db");
    EXPECT_FALSE(config.is_registration_open);
}

TEST_F(ConfigTest, a_flag_goes_before_the_environment_and_that_before_the_file) {
    file = write_file("listen = \"127.0.0.1:1001\"\nio_threads = 3\nworker-threads = 5\n");
    environment = {{"SYNAPSEX_LISTEN", "127.0.0.1:1002"}, {"SYNAPSEX_IO_THREADS", "4"}};
    flags = {{"listen", "127.0.0.1:1003"}};
    const auto config = load_config(sources()).value();
    EXPECT_EQ(config.listen_port, 1003);
    EXPECT_EQ(config.io_threads, 4U);
    EXPECT_EQ(config.worker_threads, 5U);
}

TEST_F(ConfigTest, says_all_that_is_wrong_and_where_it_was_said) {
    file = write_file("io_threads = 0\n");
    environment = {{"SYNAPSEX_LOG_LEVEL", "loud"}};
    flags = {{"listen", "8080"}};
    const auto problem = load_config(sources()).error();
    EXPECT_EQ(problem.code, "config.invalid");
    ASSERT_EQ(problem.errors.size(), 3U);
    EXPECT_EQ(problem.errors[0].pointer, "--listen");
    EXPECT_EQ(problem.errors[1].pointer, "SYNAPSEX_LOG_LEVEL");
    EXPECT_EQ(problem.errors[2].pointer, file.string());
}

TEST_F(ConfigTest, takes_the_loopback_of_ipv6_in_brackets) {
    flags = {{"listen", "[::1]:8080"}};
    const auto config = load_config(sources()).value();
    EXPECT_EQ(config.listen_address, "::1");
    EXPECT_EQ(config.listen_port, 8080);
    EXPECT_EQ(config.public_url, "http://[::1]:8080");
}

TEST_F(ConfigTest, has_room_for_the_largest_body_at_least) {
    EXPECT_EQ(load_config(sources()).value().body_bytes_in_flight_max, 268435456U);
    flags = {{"body-bytes-in-flight-max", "1048576"}};
    EXPECT_EQ(load_config(sources()).value().body_bytes_in_flight_max, 1048576U);
    flags = {{"body-bytes-in-flight-max", "1048575"}};
    EXPECT_EQ(load_config(sources()).error().code, "config.invalid");
}

TEST_F(ConfigTest, reads_the_networks_that_egress_is_allowed_and_denied) {
    EXPECT_TRUE(load_config(sources()).value().egress.allow.empty());
    EXPECT_EQ(load_config(sources()).value().egress.clear_text, net::ClearText::never);
    file = write_file("egress_deny = \"8.8.8.8\"\negress_http = true\n");
    flags = {{"egress-allow", "10.1.0.0/16, fd00:1::/64"}};
    const auto config = load_config(sources()).value();
    ASSERT_EQ(config.egress.allow.size(), 2U);
    EXPECT_EQ(config.egress.allow[1].text(), "fd00:1::/64");
    ASSERT_EQ(config.egress.deny.size(), 1U);
    EXPECT_EQ(config.egress.deny[0].text(), "8.8.8.8/32");
    EXPECT_EQ(config.egress.clear_text, net::ClearText::to_allowed);
}

TEST_F(ConfigTest, refuses_networks_that_are_not_exact) {
    for (const auto* text : {"10.1.2.3/16", "10.1.0.0/16,", ",", "10.1", "localhost", "::/129"}) {
        flags = {{"egress-deny", text}};
        const auto config = load_config(sources());
        ASSERT_FALSE(config) << text;
        EXPECT_EQ(config.error().code, "config.invalid") << text;
    }
    flags = {{"egress-http", "yes"}};
    EXPECT_EQ(load_config(sources()).error().code, "config.invalid");
}

TEST_F(ConfigTest, refuses_plain_http_off_loopback) {
    for (const auto* listen : {"0.0.0.0:8080", "192.0.2.1:8080", "[::]:8080"}) {
        flags = {{"listen", listen}};
        EXPECT_EQ(load_config(sources()).error().code, "config.invalid") << listen;
    }
}

TEST_F(ConfigTest, proxies_and_pages_are_lists_that_make_sense) {
    auto config = load_config(sources()).value();
    EXPECT_TRUE(config.trusted_proxies.empty());
    EXPECT_TRUE(config.cors_origins.empty());
    flags = {
        {"trusted-proxies", "10.0.0.0/8, fd00::/8"},
        {"cors-origins", "https://console.example.com, http://localhost:3000"}};
    config = load_config(sources()).value();
    EXPECT_EQ(config.trusted_proxies.size(), 2U);
    EXPECT_THAT(
        config.cors_origins,
        ::testing::ElementsAre("https://console.example.com", "http://localhost:3000")
    );
    for (const auto& [name, value] :
         std::map<std::string, std::string>{{"trusted-proxies", "10.0.0.1/8"},
                                            {"cors-origins", "https://console.example.com/,*"}}) {
        flags = {{name, value}};
        EXPECT_EQ(load_config(sources()).error().errors.front().pointer, "--" + name);
    }
}

TEST_F(ConfigTest, tls_listens_anywhere_with_a_certificate_a_key_and_a_public_url) {
    flags = {
        {"listen-tls", "0.0.0.0:8443"}, {"tls-certificate", "/etc/cp.crt"},
        {"tls-key", "/etc/cp.key"}, {"public-url", "https://cp.example.com:8443"}};
    const auto config = load_config(sources()).value();
    EXPECT_TRUE(config.has_tls());
    EXPECT_EQ(config.listen_tls_address, "0.0.0.0");
    EXPECT_EQ(config.listen_tls_port, 8443);
    EXPECT_EQ(config.listen_address, "127.0.0.1") << "and clear on loopback as before";
    for (const auto* needed : {"tls-certificate", "tls-key", "public-url"}) {
        auto without = flags;
        without.erase(needed);
        std::swap(flags, without);
        const auto problem = load_config(sources()).error();
        EXPECT_EQ(problem.code, "config.invalid");
        EXPECT_NE(problem.detail.find(needed), std::string::npos) << problem.detail;
        std::swap(flags, without);
    }
    flags["public-url"] = "http://cp.example.com:8443";
    EXPECT_EQ(load_config(sources()).error().code, "config.invalid");
    flags = {{"listen-tls", "8443"}};
    EXPECT_EQ(load_config(sources()).error().errors.front().pointer, "--listen-tls");
}

TEST_F(ConfigTest, without_a_certificate_tls_has_one_of_its_own_for_the_host_of_the_public_url) {
    const auto names_for = [&](const std::string& url) {
        flags["public-url"] = url;
        const auto config = load_config(sources()).value();
        EXPECT_TRUE(config.has_own_certificate());
        return config.tls_names;
    };
    using ::testing::ElementsAre;
    flags = {{"listen-tls", "0.0.0.0:8443"}};
    EXPECT_THAT(names_for("https://cp.example.com:8443"), ElementsAre("cp.example.com"));
    EXPECT_THAT(names_for("https://cp.example.com"), ElementsAre("cp.example.com"));
    EXPECT_THAT(names_for("https://[2001:db8::1]:8443"), ElementsAre("2001:db8::1"));
    EXPECT_THAT(names_for("https://192.0.2.1/x"), ElementsAre("192.0.2.1"));
    flags["tls-names"] = "cp.example.com, *.example.com,192.0.2.1";
    EXPECT_THAT(names_for("https://cp.example.com"),
                ElementsAre("cp.example.com", "*.example.com", "192.0.2.1"));
    for (const auto* wrong : {"a b_c", "a,,b", "DNS:x\n", "a,"}) {
        flags["tls-names"] = wrong;
        EXPECT_EQ(load_config(sources()).error().code, "config.invalid") << wrong;
    }
    flags = {{"tls-authority", "/etc/ca.crt"}};
    EXPECT_EQ(load_config(sources()).error().code, "config.invalid") << "of which certificate?";
    flags = {{"tls-names", "x"}, {"tls-certificate", "/etc/cp.crt"}, {"tls-key", "/etc/cp.key"}};
    EXPECT_EQ(load_config(sources()).error().code, "config.invalid") << "it has its own names";
}

TEST_F(ConfigTest, refuses_a_file_that_is_no_toml_or_names_no_setting) {
    file = write_file("listen = \n");
    EXPECT_EQ(load_config(sources()).error().code, "config.file_unreadable");
    file = write_file("lisen = \"127.0.0.1:1\"\n");
    const auto problem = load_config(sources()).error();
    EXPECT_EQ(problem.code, "config.file_unreadable");
    EXPECT_NE(problem.detail.find("lisen"), std::string::npos);
    file = folder.path() / "missing.toml";
    EXPECT_EQ(load_config(sources()).error().code, "config.file_unreadable");
}

TEST_F(ConfigTest, a_service_may_have_a_database_of_its_own) {
    environment = {
        {"DATABASE_URL", "sqlite:///all.db"}, {"AUTH_DATABASE_URL", "sqlite:///auth.db"}};
    const auto config = load_config(sources()).value();
    EXPECT_EQ(config.database_url_of("auth"), "sqlite:///auth.db");
    EXPECT_EQ(config.database_url_of("tenant"), "sqlite:///all.db");
}

TEST_F(ConfigTest, prints_what_is_in_force_and_never_a_password) {
    environment = {{"DATABASE_URL", "postgresql://synapsex:hunter2@db/main"}};
    const auto text = print_config(sources()).value();
    EXPECT_EQ(text.find("hunter2"), std::string::npos);
    EXPECT_NE(
        text.find("database_url = \"postgresql://synapsex:***@db/main\"  # DATABASE_URL"),
        std::string::npos
    ) << text;
    EXPECT_NE(text.find("io_threads = \"1\"  # default"), std::string::npos) << text;
}

}  // namespace
}  // namespace synapsex::app
