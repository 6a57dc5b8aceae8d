#include "controlplane/app/config_settings.hpp"

#include <algorithm>
#include <iterator>
#include <array>
#include <charconv>

#include "controlplane/services/api_gateway/cross_origin.hpp"
#include "shared/base/describe.hpp"

namespace synapsex::app {

namespace {

// Backups copy their databases in this order: the audit log last, so that it has all that the
// others say it was given.
constexpr std::array<std::string_view, 5> kServicesWithTables{
    "tenant", "vm_registry", "agent_registry", "auth", "audit"
};

template <class Integer>
std::optional<Integer> parse_integer(std::string_view text, Integer lowest, Integer highest) {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (value < lowest || value > highest) return std::nullopt;
    return value;
}

// Of "one, two": without spaces; also the empty ones.
std::vector<std::string> items_of(const std::string& text) {
    std::vector<std::string> items;
    for (std::size_t start = 0; !text.empty() && start <= text.size();) {
        const auto comma = std::min(text.find(',', start), text.size());
        std::erase(items.emplace_back(text.substr(start, comma - start)), ' ');
        start = comma + 1;
    }
    return items;
}

struct AddressAndPort {
    std::string address;
    std::uint16_t port;
};

// "127.0.0.1:8080", "[::1]:8080", "localhost:8080"; the address without brackets.
std::optional<AddressAndPort> parse_endpoint(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == text.npos || colon == 0) return std::nullopt;
    const auto port = parse_integer<std::uint16_t>(text.substr(colon + 1), 0, 65535);
    if (!port) return std::nullopt;
    auto address = text.substr(0, colon);
    if (address == "localhost") address = "127.0.0.1";
    if (address.starts_with('[') && address.ends_with(']'))
        address = address.substr(1, address.size() - 2);
    return AddressAndPort{std::move(address), *port};
}

// Taken as it is.
template <auto Member>
std::optional<std::string> apply_text(Config& config, const std::string& text) {
    config.*Member = text;
    return std::nullopt;
}

std::optional<std::string> apply_listen(Config& config, const std::string& text) {
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) return "is no address:port, as in 127.0.0.1:8080";
    // Without TLS, credentials would cross the network in clear.
    if (!endpoint->address.starts_with("127.") && endpoint->address != "::1")
        return "is not on loopback; plain HTTP is for 127.0.0.1 and [::1] only, --listen-tls for "
               "others";
    config.listen_address = endpoint->address;
    config.listen_port = endpoint->port;
    return std::nullopt;
}

std::optional<std::string> apply_listen_tls(Config& config, const std::string& text) {
    if (text.empty()) return std::nullopt;
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) return "is no address:port, as in 0.0.0.0:8443";
    config.listen_tls_address = endpoint->address;
    config.listen_tls_port = endpoint->port;
    return std::nullopt;
}

// "cp.example.com,192.0.2.1"
std::optional<std::string> apply_tls_names(Config& config, const std::string& text) {
    for (auto& item : items_of(text)) {
        const auto is_allowed = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '.' || c == '-' || c == ':' || c == '*';
        };
        if (item.empty() || item.size() > 253 || !std::ranges::all_of(item, is_allowed))
            return "is no list of names and addresses, as in cp.example.com,192.0.2.1: \"" + item +
                   "\" is none";
        config.tls_names.push_back(std::move(item));
    }
    return std::nullopt;
}

std::optional<std::string> apply_public_url(Config& config, const std::string& text) {
    if (!text.empty() && !text.starts_with("http://") && !text.starts_with("https://"))
        return "is no http:// or https:// URL";
    config.public_url = text;
    while (config.public_url.ends_with('/')) config.public_url.pop_back();
    return std::nullopt;
}

std::optional<std::string> apply_data_dir(Config& config, const std::string& text) {
    if (text.empty()) return "is empty";
    config.data_dir = std::filesystem::absolute(text);
    return std::nullopt;
}

std::optional<std::string> apply_log_level(Config& config, const std::string& text) {
    static const std::map<std::string, LogLevel> kLevels{
        {"debug", LogLevel::debug},
        {"info", LogLevel::info},
        {"warning", LogLevel::warning},
        {"error", LogLevel::error},
    };
    const auto found = kLevels.find(text);
    if (found == kLevels.end()) return "is none of debug, info, warning, error";
    config.log_level = found->second;
    return std::nullopt;
}

std::optional<std::string> apply_flag(bool& flag, const std::string& text) {
    if (text != "true" && text != "false") return "is neither true nor false";
    flag = text == "true";
    return std::nullopt;
}

std::optional<std::string> apply_access_log(Config& config, const std::string& text) {
    return apply_flag(config.is_access_logged, text);
}

std::optional<std::string> apply_open_registration(Config& config, const std::string& text) {
    return apply_flag(config.is_registration_open, text);
}

std::optional<std::string> apply_service_ports(Config& config, const std::string& text) {
    static const std::map<std::string, ServicePorts> kWords{
        {"off", ServicePorts::off}, {"on", ServicePorts::on}, {"any", ServicePorts::any}
    };
    const auto found = kWords.find(text);
    if (found == kWords.end()) return "is none of off, on, any";
    config.service_ports = found->second;
    return std::nullopt;
}

std::optional<std::string> apply_default_plan(Config& config, const std::string& text) {
    const auto plan = parse_enum<tenant::PlanName>(text);
    if (!plan) return "is none of free, pro, team, enterprise";
    config.default_plan = *plan;
    return std::nullopt;
}

template <class Integer>
std::optional<std::string> apply_count(
    Integer& count, const std::string& text, std::type_identity_t<Integer> highest,
    std::type_identity_t<Integer> lowest = 1
) {
    const auto value = parse_integer<Integer>(text, lowest, highest);
    if (!value)
        return "is no whole number from " + std::to_string(lowest) + " to " +
               std::to_string(highest);
    count = *value;
    return std::nullopt;
}

std::optional<std::string> apply_io_threads(Config& config, const std::string& text) {
    return apply_count(config.io_threads, text, 64);
}

std::optional<std::string> apply_worker_threads(Config& config, const std::string& text) {
    return apply_count(config.worker_threads, text, 1024);
}

std::optional<std::string> apply_connections_max(Config& config, const std::string& text) {
    return apply_count(config.connections_max, text, 1'000'000);
}

// Room for the largest body of an operation at least.
std::optional<std::string> apply_body_bytes_max(Config& config, const std::string& text) {
    constexpr std::size_t kMebibyte = 1024 * 1024;
    return apply_count(config.body_bytes_in_flight_max, text, kMebibyte * kMebibyte, kMebibyte);
}

// "10.1.0.0/16, fd00:1::/64"
std::optional<std::string> apply_networks(
    std::vector<net::IpNetwork>& networks, const std::string& text
) {
    for (const auto& item : items_of(text)) {
        const auto network = net::IpNetwork::parse(item);
        if (!network)
            return "is no list of networks, as in 10.1.0.0/16,fd00:1::/64: \"" + item +
                   "\" is none (bits behind the prefix have to be zero)";
        networks.push_back(*network);
    }
    return std::nullopt;
}

std::optional<std::string> apply_address_requests(Config& config, const std::string& text) {
    return apply_count(config.address_requests_per_minute, text, 1'000'000'000, 0);
}

std::optional<std::string> apply_trusted_proxies(Config& config, const std::string& text) {
    return apply_networks(config.trusted_proxies, text);
}

std::optional<std::string> apply_cors_origins(Config& config, const std::string& text) {
    for (const auto& item : items_of(text)) {
        if (!api_gateway::is_origin(item))
            return "is no list of origins as browsers send them, such as "
                   "https://console.example.com, without a path and a default port, or *: \"" +
                   item + "\" is none";
        config.cors_origins.push_back(item);
    }
    return std::nullopt;
}

std::optional<std::string> apply_egress_allow(Config& config, const std::string& text) {
    return apply_networks(config.egress.allow, text);
}

std::optional<std::string> apply_egress_deny(Config& config, const std::string& text) {
    return apply_networks(config.egress.deny, text);
}

std::optional<std::string> apply_egress_http(Config& config, const std::string& text) {
    bool is_allowed = false;
    const auto why_not = apply_flag(is_allowed, text);
    config.egress.clear_text = is_allowed ? net::ClearText::to_allowed : net::ClearText::never;
    return why_not;
}

template <std::size_t Index>
std::optional<std::string> apply_service_database_url(Config& config, const std::string& text) {
    if (!text.empty())
        config.service_database_urls[std::string{kServicesWithTables[Index]}] = text;
    return std::nullopt;
}

template <std::size_t Index>
std::optional<std::string> apply_service_listen_url(Config& config, const std::string& text) {
    if (!text.empty())
        config.service_database_listen_urls[std::string{kServicesWithTables[Index]}] = text;
    return std::nullopt;
}

std::string upper(std::string_view name) {
    std::string text;
    for (const char c : name) {
        if (c == '-') text += '_';
        else text += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return text;
}

template <std::size_t... Index>
void add_service_settings(std::vector<Setting>& table, std::index_sequence<Index...>) {
    const auto add = [&](std::string_view service, Apply apply, Apply apply_listen_url) {
        std::string name{service};
        for (char& c : name)
            if (c == '_') c = '-';
        table.push_back(
            {{name + "-database-url", upper(service) + "_DATABASE_URL",
              "database of this service alone", ""},
             apply}
        );
        table.push_back(
            {{name + "-database-listen-url", upper(service) + "_DATABASE_LISTEN_URL",
              "its server, where its URL names a pooler", ""},
             apply_listen_url}
        );
    };
    (add(kServicesWithTables[Index], apply_service_database_url<Index>,
         apply_service_listen_url<Index>),
     ...);
}

// Where the server is, and what it works with.
std::vector<Setting> settings_of_places() {
    return {
        {{"listen", "SYNAPSEX_LISTEN", "address:port of plain HTTP, on loopback", "127.0.0.1:8080"},
         apply_listen},
        {{"listen-tls", "SYNAPSEX_LISTEN_TLS",
          "address:port of TLS, as in 0.0.0.0:8443 (default: none)", ""},
         apply_listen_tls},
        {{"tls-certificate", "SYNAPSEX_TLS_CERTIFICATE",
          "PEM file: the server's certificate, then those up to the authority (default: one of "
          "the installation's own authority, renewed by itself)", ""},
         apply_text<&Config::tls_certificate>},
        {{"tls-key", "SYNAPSEX_TLS_KEY", "PEM file: its key, readable by its owner alone", ""},
         apply_text<&Config::tls_key>},
        {{"tls-authority", "SYNAPSEX_TLS_AUTHORITY",
          "PEM file: the authority of tls-certificate, for agents to pin", ""},
         apply_text<&Config::tls_authority>},
        {{"tls-names", "SYNAPSEX_TLS_NAMES",
          "names and addresses of the own certificate (default: the host of public-url)", ""},
         apply_tls_names},
        {{"public-url", "SYNAPSEX_PUBLIC_URL",
          "how clients and agents reach the server (default: http:// and the listen address)", ""},
         apply_public_url},
        {{"data-dir", "SYNAPSEX_DATA_DIR", "keys and the SQLite database",
          "/var/lib/synapsex/controlplane"},
         apply_data_dir},
        {{"database-url", "DATABASE_URL",
          "sqlite:///path (default: controlplane.db in the data directory) or postgresql://…", ""},
         apply_text<&Config::database_url>},
        {{"database-listen-url", "DATABASE_LISTEN_URL",
          "the PostgreSQL server itself, where database-url names a pooler of transactions", ""},
         apply_text<&Config::database_listen_url>},
    };
}

// How it does its work, and for whom.
std::vector<Setting> settings_of_work() {
    return {
        {{"log-level", "SYNAPSEX_LOG_LEVEL", "debug, info, warning or error", "info"},
         apply_log_level},
        {{"access-log", "SYNAPSEX_ACCESS_LOG", "log each request of users: true or false", "true"},
         apply_access_log},
        {{"open-registration", "SYNAPSEX_OPEN_REGISTRATION",
          "let anybody register: true or false", "false"},
         apply_open_registration},
        {{"default-plan", "SYNAPSEX_DEFAULT_PLAN",
          "plan of the tenants that users make: free, pro, team or enterprise", "free"},
         apply_default_plan},
        {{"service-ports", "SYNAPSEX_SERVICE_PORTS",
          "serve each service to the others at its own port on loopback too: off, on, or any for "
          "free ports", "off"},
         apply_service_ports},
        {{"io-threads", "SYNAPSEX_IO_THREADS", "threads that serve connections", "1"},
         apply_io_threads},
        {{"worker-threads", "SYNAPSEX_WORKER_THREADS", "threads that run handlers", "64"},
         apply_worker_threads},
        {{"connections-max", "SYNAPSEX_CONNECTIONS_MAX", "open connections; the next gets 503",
          "10000"},
         apply_connections_max},
        {{"body-bytes-in-flight-max", "SYNAPSEX_BODY_BYTES_IN_FLIGHT_MAX",
          "bytes of all requests' bodies in memory; the next gets 503", "268435456"},
         apply_body_bytes_max},
        {{"address-requests-per-minute", "SYNAPSEX_ADDRESS_REQUESTS_PER_MINUTE",
          "of one address without a valid credential, sign-ins too; the next gets 429; 0: any",
          "1200"},
         apply_address_requests},
        {{"trusted-proxies", "SYNAPSEX_TRUSTED_PROXIES",
          "networks of reverse proxies whose X-Forwarded-For is believed", ""},
         apply_trusted_proxies},
        {{"cors-origins", "SYNAPSEX_CORS_ORIGINS",
          "origins whose web pages may call /v1, as in https://console.example.com; * for all", ""},
         apply_cors_origins},
        {{"egress-allow", "SYNAPSEX_EGRESS_ALLOW",
          "networks that tenants' URLs may lead to though they are not the internet", ""},
         apply_egress_allow},
        {{"egress-deny", "SYNAPSEX_EGRESS_DENY",
          "networks that tenants' URLs must not lead to; before egress-allow", ""},
         apply_egress_deny},
        {{"egress-http", "SYNAPSEX_EGRESS_HTTP",
          "let tenants' URLs be http:// into the networks of egress-allow: true or false", "false"},
         apply_egress_http},
    };
}

std::vector<Setting> make_table() {
    auto table = settings_of_places();
    std::ranges::move(settings_of_work(), std::back_inserter(table));
    add_service_settings(table, std::make_index_sequence<kServicesWithTables.size()>{});
    return table;
}

}  // namespace

std::span<const std::string_view> services_with_tables() { return kServicesWithTables; }

const std::vector<Setting>& setting_table() {
    static const auto kTable = make_table();
    return kTable;
}

}  // namespace synapsex::app
