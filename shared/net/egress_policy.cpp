#include "shared/net/egress_policy.hpp"

#include <algorithm>

#include "shared/net/special_networks.hpp"
#include "shared/net/url_rules.hpp"

namespace synapsex::net {

namespace {

constexpr std::size_t kHostBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;
constexpr std::uint16_t kUnprivilegedPort = 1024;

Problem refuse(std::string_view code, std::string detail, Kind kind = Kind::invalid) {
    return {kind, std::string{code}, std::move(detail)};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// ASCII alone, whatever the locale.
std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

bool is_label(std::string_view label) {
    const bool is_plain = std::ranges::all_of(label, [](char c) {
        return is_lower(c) || is_digit(c) || c == '-';
    });
    return is_plain && !label.empty() && label.size() <= kLabelBytesMax &&
           !label.starts_with('-') && !label.ends_with('-');
}

// Whose last label starts with a digit: "127.1", "0x7f.1" and "2130706433" are addresses to those
// who read as inet_aton does, and no top-level domain looks like that.
bool is_numeric(const std::string& host) { return is_digit(host[host.rfind('.') + 1]); }

bool is_name(const std::string& host) {
    if (host.empty() || host.size() > kHostBytesMax) return false;
    for (std::size_t start = 0;;) {
        const auto dot = std::min(host.find('.', start), host.size());
        if (!is_label(std::string_view{host}.substr(start, dot - start))) return false;
        if (dot == host.size()) return true;
        start = dot + 1;
    }
}

// RFC 3986: whole percent triples, and none of the characters that have to be written as such.
bool is_path_and_query(std::string_view text) {
    const auto is_hex = [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    for (std::size_t index = 0; index < text.size(); ++index) {
        if (text.find_first_of("\"<>[]^`{|}", index) == index) return false;
        if (text[index] != '%') continue;
        if (index + 2 >= text.size() || !is_hex(text[index + 1]) || !is_hex(text[index + 2]))
            return false;
    }
    return true;
}

// The host in lower case, with its brackets; the port as it is written, or nothing.
struct Authority {
    std::string host;
    std::optional<std::string> port;
};

Authority split(const std::string& authority) {
    const auto bracket = authority.find(']');
    const auto colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
    if (colon == authority.npos) return {lower(authority), std::nullopt};
    return {lower(authority.substr(0, colon)), authority.substr(colon + 1)};
}

// Host and address of an authority that has one reading.
Result<OutboundUrl> read_host(const std::string& host) {
    OutboundUrl url;
    const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
    url.host = is_bracketed ? host.substr(1, host.size() - 2) : host;
    url.address = IpAddress::parse(url.host);
    if (url.address) url.host = url.address->text();
    if (url.address && url.address->is_v4() != is_bracketed) return url;
    if (is_bracketed)
        return refuse(kHostInvalid, "The host '" + host + "' is no IPv6 address, without a zone.");
    if (!is_name(host))
        return refuse(
            kHostInvalid, "The host '" + host + "' is no name of letters, digits and hyphens; "
                          "write it as in DNS (xn-- for others) and without a dot at its end."
        );
    if (is_numeric(host))
        return refuse(kHostAmbiguous, "The host '" + host + "' is no address as in 192.0.2.1.");
    return url;
}

Result<Done> agree(const UrlParts& parts, const Authority& written, const OutboundUrl& url) {
    const bool is_v6 = url.address && !url.address->is_v4();
    const auto read = is_v6 ? parts.host.substr(1, parts.host.size() - 2) : lower(parts.host);
    const bool is_same_host = is_v6 ? IpAddress::parse(read) == url.address : read == url.host;
    if (!is_same_host || (written.port && *written.port != std::to_string(parts.port)))
        return refuse(
            kHostAmbiguous, "'" + parts.authority + "' is another spelling of '" + parts.host +
                            ":" + std::to_string(parts.port) + "'; write that."
        );
    return Done{};
}

std::string spell(const UrlParts& parts, const OutboundUrl& url) {
    const bool is_v6 = url.address && !url.address->is_v4();
    auto text = parts.scheme + "://" + (is_v6 ? "[" + url.host + "]" : url.host);
    if (url.port != (url.is_encrypted ? 443 : 80)) text += ":" + std::to_string(url.port);
    return text + (parts.rest.starts_with('/') ? "" : "/") + parts.rest;
}

Result<std::vector<IpAddress>> addresses_of(
    const OutboundUrl& url, Resolver& resolver, Deadline deadline
) {
    if (url.address) return std::vector{*url.address};
    SYNAPSEX_TRY(auto addresses, resolver.resolve(url.host, deadline));
    const auto host = "The host '" + url.host + "' has ";
    if (addresses.empty()) return refuse(kUnresolved, host + "no address.", Kind::unprocessable);
    if (addresses.size() > kEgressAddressesMax)
        return refuse(
            kTooManyAddresses,
            host + "more than " + std::to_string(kEgressAddressesMax) + " addresses.",
            Kind::unprocessable
        );
    return addresses;
}

std::optional<Problem> find_refusal(
    const OutboundUrl& url, const std::vector<AddressVerdict>& verdicts
) {
    for (const auto& [address, ruling, code, reason] : verdicts) {
        if (ruling == AddressRuling::refused)
            return refuse(
                code, "The host '" + url.host + "' must not be reached: " + reason + ".",
                Kind::unprocessable
            );
        if (!url.is_encrypted && ruling != AddressRuling::allowed_by_operator)
            return refuse(
                kSchemeRefused,
                "http:// is only for networks that the operator allows: " + reason + ".",
                Kind::unprocessable
            );
    }
    return std::nullopt;
}

AddressVerdict refused(const IpAddress& address, std::string code, const std::string& why) {
    return {address, AddressRuling::refused, std::move(code), address.text() + " " + why};
}

}  // namespace

Result<OutboundUrl> EgressPolicy::judge(const std::string& url) const {
    if (url.size() > kEgressUrlBytesMax)
        return refuse(
            kUrlTooLong,
            "The URL is longer than " + std::to_string(kEgressUrlBytesMax) + " bytes."
        );
    const auto parts = split_url(url);
    if (!parts)
        return refuse(kUrlInvalid, "It is no URL such as https://host/path, without a user name.");
    if (parts->scheme != "https" && parts->scheme != "http")
        return refuse(kSchemeRefused, "The scheme '" + parts->scheme + "' is not https.");
    if (!is_path_and_query(parts->rest) || parts->rest.find('#') != parts->rest.npos)
        return refuse(
            kUrlInvalid, "Path and query of the URL are not as in RFC 3986, or it has a fragment."
        );
    const auto written = split(parts->authority);
    SYNAPSEX_TRY(auto outbound, read_host(written.host));
    SYNAPSEX_CHECK(agree(*parts, written, outbound));
    outbound.is_encrypted = parts->scheme == "https";
    outbound.port = parts->port;
    if (!outbound.is_encrypted && rules_.clear_text == ClearText::never)
        return refuse(kSchemeRefused, "The URL has to begin with https://.");
    if (outbound.port != (outbound.is_encrypted ? 443 : 80) && outbound.port < kUnprivilegedPort)
        return refuse(
            kPortRefused, "The port " + std::to_string(outbound.port) +
                          " is neither the scheme's own nor 1024 or above."
        );
    outbound.url = spell(*parts, outbound);
    return outbound;
}

AddressVerdict EgressPolicy::judge_itself(const IpAddress& address) const {
    if (const auto* service = find_metadata_service(address))
        return refused(address, service->code, "is the metadata service of " + service->what);
    if (const auto* network = find_network(rules_.deny, address))
        return refused(
            address, std::string{kAddressDenied},
            "is in " + network->text() + ", which the operator denies"
        );
    if (const auto* network = find_network(rules_.allow, address))
        return {
            address, AddressRuling::allowed_by_operator, "",
            address.text() + " is in " + network->text() + ", which the operator allows"};
    if (const auto* special = find_special_network(address))
        return refused(
            address, special->code, "is in " + special->network.text() + ", " + special->what
        );
    return {address, AddressRuling::is_public, "", address.text() + " is public"};
}

AddressVerdict EgressPolicy::judge(const IpAddress& address) const {
    if (const auto inner = address.embedded_v4()) {
        auto verdict = judge_itself(*inner);
        if (verdict.ruling == AddressRuling::refused)
            return refused(address, verdict.code, "holds an address: " + verdict.reason);
    }
    return judge_itself(address);
}

EgressJudgement EgressPolicy::judge(
    const std::string& url, Resolver& resolver, Deadline deadline
) const {
    EgressJudgement judgement;
    const auto outbound = judge(url);
    if (!outbound) {
        judgement.refusal = outbound.error();
        return judgement;
    }
    judgement.url = *outbound;
    const auto addresses = addresses_of(*outbound, resolver, deadline);
    if (!addresses) {
        judgement.refusal = addresses.error();
        return judgement;
    }
    for (const auto& address : *addresses) judgement.addresses.push_back(judge(address));
    judgement.refusal = find_refusal(*outbound, judgement.addresses);
    return judgement;
}

Result<VettedTarget> EgressPolicy::vet(
    const std::string& url, Resolver& resolver, Deadline deadline
) const {
    auto judgement = judge(url, resolver, deadline);
    if (judgement.refusal) return std::move(*judgement.refusal);
    std::vector<IpAddress> addresses;
    for (const auto& verdict : judgement.addresses) addresses.push_back(verdict.address);
    auto& outbound = *judgement.url;
    return VettedTarget{
        std::move(outbound.url), std::move(outbound.host), outbound.port, std::move(addresses)};
}

}  // namespace synapsex::net
