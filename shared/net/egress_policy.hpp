#pragma once

// Which URLs that a tenant supplied (webhooks, OIDC issuers) this server may send requests to:
// those that lead to the internet, never into the operator's network, to this machine or to the
// metadata service of a cloud. Attackers reach those with names that resolve inward, names that
// change their address between check and use, other spellings of an address, and redirects.
//
//   SYNAPSEX_TRY(auto target, policy.vet(url, resolver, deadline));   // for each attempt
//   http.send({.method = "POST", .target = std::move(target), .body = …});
//
// The URL is judged first, without I/O; then every address of its host. One refused address refuses
// the whole: a name with a public and a private address is an attack or a mistake, and which of
// them a client takes is chance. The client connects to the vetted addresses only, whatever the
// name resolves to by then, follows no redirect and takes no proxy from the environment.
//
// An address is refused unless it is globally reachable: the special-purpose registries of IANA
// (RFC 6890; iana-ipv4-special-registry, iana-ipv6-special-registry), multicast, and all of IPv6
// outside 2000::/3. IPv6 addresses that hold an IPv4 address are refused with it; if it is public,
// NAT64 (64:ff9b::/96, what DNS64 answers) is let through and every other such form is refused.
// Metadata services have a code of their own.
//
// The operator's rules come before that, denied before allowed: a metadata service stays refused
// even in an allowed network, a denied network is refused even if it is public, an allowed one is
// let through even if it is private (an internal receiver).
//
// Details of problems name addresses that internal names resolve to: they are for operators and
// logs. A tenant gets the code.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/net/ip_address.hpp"
#include "shared/net/resolver.hpp"
#include "shared/net/vetted_target.hpp"

namespace synapsex::net {

inline constexpr std::size_t kEgressUrlBytesMax = 2048;
inline constexpr std::size_t kEgressAddressesMax = 64;  // of one host

// Codes of refusals; also kUnresolved and kResolveTimeout of resolver.hpp.
inline constexpr std::string_view kUrlInvalid = "egress.url_invalid";
inline constexpr std::string_view kUrlTooLong = "egress.url_too_long";
inline constexpr std::string_view kSchemeRefused = "egress.scheme_refused";
inline constexpr std::string_view kPortRefused = "egress.port_refused";
inline constexpr std::string_view kHostInvalid = "egress.host_invalid";
inline constexpr std::string_view kHostAmbiguous = "egress.host_ambiguous";  // several readings
inline constexpr std::string_view kAddressLoopback = "egress.address_loopback";
inline constexpr std::string_view kAddressPrivate = "egress.address_private";
inline constexpr std::string_view kAddressLinkLocal = "egress.address_link_local";
inline constexpr std::string_view kAddressMulticast = "egress.address_multicast";
inline constexpr std::string_view kAddressReserved = "egress.address_reserved";
inline constexpr std::string_view kAddressEmbedded = "egress.address_embedded";
inline constexpr std::string_view kAddressDenied = "egress.address_denied";  // by the operator
inline constexpr std::string_view kMetadata = "egress.metadata";
inline constexpr std::string_view kTooManyAddresses = "egress.too_many_addresses";

enum class ClearText {
    never,
    to_allowed,  // http:// where every address is in one of the operator's allowed networks
};

// What the operator says.
struct EgressRules {
    std::vector<IpNetwork> allow{};
    std::vector<IpNetwork> deny{};
    ClearText clear_text = ClearText::never;
};

// A URL whose text is in order, in its one spelling.
struct OutboundUrl {
    std::string url;
    bool is_encrypted = true;
    std::string host;  // lower case, without brackets
    std::uint16_t port = 0;
    std::optional<IpAddress> address{};  // where the host is an address already
};

enum class AddressRuling { is_public, allowed_by_operator, refused };

struct AddressVerdict {
    IpAddress address;
    AddressRuling ruling;
    std::string code;    // empty unless refused
    std::string reason;  // "10.0.0.1 is in 10.0.0.0/8, private use (RFC 1918)"
};

// All that was found out on the way to a decision, for people.
struct EgressJudgement {
    std::optional<OutboundUrl> url{};         // none: its text is refused
    std::vector<AddressVerdict> addresses{};  // none: the text is refused, or there are none
    std::optional<Problem> refusal{};         // none: allowed
};

// Immutable; any thread.
class EgressPolicy {
 public:
    explicit EgressPolicy(EgressRules rules = {}) : rules_(std::move(rules)) {}

    // The text alone. https, or http where the rules know it; the port is the scheme's own or 1024
    // and above; no user name, no fragment; the host is an address in its usual form or a name of
    // letters, digits and hyphens (xn-- for others), without a dot at its end.
    Result<OutboundUrl> judge(const std::string& url) const;
    AddressVerdict judge(const IpAddress& address) const;

    // Text, addresses, and what follows.
    EgressJudgement judge(const std::string& url, Resolver& resolver, Deadline deadline) const;
    // The same, for who wants to send: the proof, or why not.
    Result<VettedTarget> vet(const std::string& url, Resolver& resolver, Deadline deadline) const;

 private:
    AddressVerdict judge_itself(const IpAddress& address) const;

    EgressRules rules_;
};

}  // namespace synapsex::net
