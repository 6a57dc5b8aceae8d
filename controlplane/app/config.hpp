#pragma once

// The control plane's configuration, typed. A setting comes from, in this order: a flag, the
// environment, the TOML file, its default. The one table of settings is in config_settings.cpp;
// nothing else reads the environment.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/services/tenant/plans.hpp"
#include "shared/base/log.hpp"
#include "shared/base/result.hpp"
#include "shared/net/egress_policy.hpp"

namespace synapsex::app {

// Whether each service is also served at a port of its own, on loopback.
enum class ServicePorts {
    off,
    on,   // those of the services' manifests
    any,  // free ones, which the log tells
};

struct Config {
    std::string listen_address = "127.0.0.1";  // without brackets: "::1"
    std::uint16_t listen_port = 8080;
    std::string listen_tls_address;  // empty: no TLS
    std::uint16_t listen_tls_port = 8443;
    std::filesystem::path tls_certificate;  // empty: one of the installation's own authority
    std::filesystem::path tls_key;
    std::filesystem::path tls_authority;  // of tls_certificate, for agents to pin; empty: none
    std::vector<std::string> tls_names;   // of the own certificate
    std::string public_url;  // how clients and agents reach the server
    bool is_public_url_given = false;  // else it is made from the listen address
    std::filesystem::path data_dir;
    std::string database_url;                          // of every service that has none of its own
    std::map<std::string, std::string> service_database_urls;  // by the service's folder name
    std::string database_listen_url;  // of database_url's server; empty: database_url
    std::map<std::string, std::string> service_database_listen_urls;
    LogLevel log_level = LogLevel::info;
    bool is_access_logged = true;
    bool is_registration_open = false;
    tenant::PlanName default_plan = tenant::PlanName::free;  // of tenants that users make
    ServicePorts service_ports = ServicePorts::off;
    std::size_t io_threads = 1;
    std::size_t worker_threads = 64;
    std::size_t connections_max = 10'000;
    std::size_t body_bytes_in_flight_max = 256 * 1024 * 1024;
    std::int64_t address_requests_per_minute = 1200;  // without a valid credential; 0: any
    std::vector<net::IpNetwork> trusted_proxies;  // whose X-Forwarded-For is believed
    std::vector<std::string> cors_origins;        // whose pages may call; "*": all
    net::EgressRules egress;  // of requests to URLs that tenants supplied

    const std::string& database_url_of(const std::string& service) const;
    // Where LISTEN is heard, on PostgreSQL.
    const std::string& database_listen_url_of(const std::string& service) const;
    bool has_tls() const { return !listen_tls_address.empty(); }
    bool has_own_certificate() const { return has_tls() && tls_certificate.empty(); }
    // "127.0.0.1:8080", "[::1]:8080"
    std::string listen_endpoint() const;
};

// Where a setting may be said, and how it is shown.
struct SettingInfo {
    std::string name;         // "listen": --listen, and `listen` in the file
    std::string environment;  // "SYNAPSEX_LISTEN"
    std::string help;
    std::string default_text;
};
const std::vector<SettingInfo>& settings();

// Services that keep tables, by folder: each may have a database of its own.
std::span<const std::string_view> services_with_tables();
// postgresql://user:secret@host -> postgresql://user:***@host
std::string without_password(const std::string& url);

using SettingValues = std::map<std::string, std::string>;  // by name
// std::nullopt: the variable is not set.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

struct ConfigSources {
    SettingValues flags;
    Environment environment;
    std::filesystem::path file;  // empty: none
};

// Every problem at once, each saying where the value came from. Kind::invalid config.invalid;
// config.file_unreadable.
Result<Config> load_config(const ConfigSources& sources);

// The effective settings as TOML with the source of each; passwords in URLs are masked.
Result<std::string> print_config(const ConfigSources& sources);

}  // namespace synapsex::app
