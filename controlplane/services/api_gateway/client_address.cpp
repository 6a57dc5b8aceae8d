#include "controlplane/services/api_gateway/client_address.hpp"

#include <algorithm>
#include <ranges>

#include "controlplane/services/api_gateway/header_text.hpp"

namespace synapsex::api_gateway {

namespace {

// Some proxies append the port: "192.0.2.1:4711", "[2001:db8::1]:4711".
std::string without_port(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        return end == text.npos ? std::string{} : std::string{text.substr(1, end - 1)};
    }
    const auto colon = text.find(':');
    const bool is_ipv4_with_port = colon != text.npos && text.find(':', colon + 1) == text.npos;
    return std::string{is_ipv4_with_port ? text.substr(0, colon) : text};
}

// Takes the last element off.
std::string_view take_last(std::string_view& list) {
    const auto comma = list.rfind(',');
    const auto last = comma == list.npos ? list : list.substr(comma + 1);
    list = comma == list.npos ? std::string_view{} : list.substr(0, comma);
    return trimmed(last);
}

}  // namespace

bool TrustedProxies::contains(const std::string& text) const {
    auto address = net::IpAddress::parse(text);
    // An IPv4 peer of a socket that speaks both.
    if (address && text.starts_with("::ffff:")) address = address->embedded_v4();
    return address && std::ranges::any_of(networks_, [&](const net::IpNetwork& network) {
        return network.contains(*address);
    });
}

std::string TrustedProxies::client_of(const http::RequestHead& head) const {
    auto client = head.client_address;
    if (networks_.empty()) return client;
    // Headers of one name are one list.
    for (const auto& [name, value] : std::views::reverse(head.headers)) {
        if (name != "x-forwarded-for") continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            if (!contains(client)) return client;
            const auto before = net::IpAddress::parse(without_port(take_last(rest)));
            if (!before) return client;
            client = before->text();
        }
    }
    return client;
}

}  // namespace synapsex::api_gateway
