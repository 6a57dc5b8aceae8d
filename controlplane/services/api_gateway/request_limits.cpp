#include "controlplane/services/api_gateway/request_limits.hpp"

#include <algorithm>

#include "shared/base/describe.hpp"
#include "shared/net/ip_address.hpp"

namespace synapsex::api_gateway {

namespace {

// About 100 bytes each, and only of those whose bucket is not full.
constexpr std::size_t kKeysMax = 200'000;
constexpr std::size_t kSharedBitsOfV6 = 64;

Quota a_minute(std::int64_t requests) { return {std::max<std::int64_t>(1, requests)}; }

std::int64_t seconds_up(std::chrono::nanoseconds time) {
    return std::chrono::ceil<std::chrono::seconds>(time).count();
}

double share_left(const LimitSeen& seen) {
    return static_cast<double>(seen.level.remaining) / static_cast<double>(seen.quota.requests);
}

// Whose quota it is, in a sentence.
std::string_view owner_of(LimitKind kind) {
    switch (kind) {
        case LimitKind::address: return "This address may send";
        case LimitKind::credential: return "This credential may send";
        case LimitKind::tenant: break;
    }
    return "The tenant's plan allows";
}

bool is_loopback(const net::IpAddress& address) {
    static const auto v4 = net::IpNetwork::parse("127.0.0.0/8").value();
    static const auto v6 = net::IpNetwork::parse("::1").value();
    const auto inner = address.embedded_v4();
    return v6.contains(address) || v4.contains(inner ? *inner : address);
}

}  // namespace

bool is_over(const LimitsSeen& seen) { return !seen.empty() && seen.back().level.is_over; }

Problem over_limit(const LimitsSeen& seen) {
    const auto& limit = seen.back();
    const std::chrono::seconds wait{std::max<std::int64_t>(1, seconds_up(limit.level.next_in))};
    std::string detail{owner_of(limit.kind)};
    detail += " " + std::to_string(limit.quota.requests) + " requests in " +
              std::to_string(limit.quota.window.count()) +
              " s, and has used them up. Try again in " + std::to_string(wait.count()) + " s.";
    if (limit.kind == LimitKind::address)
        detail += " Requests with a valid credential do not count.";
    return {
        .kind = Kind::rate_limited,
        .code = "request.rate_limited",
        .detail = std::move(detail),
        .retry_after = wait,
    };
}

void add_limit_headers(const LimitsSeen& seen, api::Reply& reply) {
    if (seen.empty()) return;
    std::string policy;
    for (const auto& limit : seen) {
        if (!policy.empty()) policy += ", ";
        policy += "\"" + std::string{enum_name(limit.kind)} +
                  "\";q=" + std::to_string(limit.quota.requests) +
                  ";w=" + std::to_string(limit.quota.window.count());
    }
    const auto& least = *std::ranges::min_element(seen, {}, share_left);
    reply.headers.emplace_back("RateLimit-Policy", std::move(policy));
    reply.headers.emplace_back(
        "RateLimit", "\"" + std::string{enum_name(least.kind)} +
                         "\";r=" + std::to_string(least.level.remaining) +
                         ";t=" + std::to_string(seconds_up(least.level.full_in))
    );
}

RequestLimits::RequestLimits(const Clock& clock, std::int64_t address_requests_per_minute)
    : limiter_(clock, kKeysMax), address_requests_per_minute_(address_requests_per_minute) {}

LimitsSeen RequestLimits::admit(const Principal& principal) {
    LimitsSeen seen;
    const auto own = principal.kind == PrincipalKind::agent
                         ? std::optional{kAgentRequestsPerMinute}
                         : principal.requests_per_minute;
    if (own) {
        const auto quota = a_minute(*own);
        seen.push_back(
            {LimitKind::credential, quota, limiter_.take(principal.credential_id, quota)}
        );
        if (is_over(seen)) return seen;
    }
    // Agents are counted as VMs, not as requests.
    const auto& of_tenant = principal.standing.requests_per_minute;
    if (!of_tenant || principal.kind == PrincipalKind::agent) return seen;
    const auto quota = a_minute(*of_tenant);
    seen.push_back({LimitKind::tenant, quota, limiter_.take(principal.tenant.text(), quota)});
    if (is_over(seen) && own) limiter_.give_back(principal.credential_id, seen.front().quota);
    return seen;
}

LimitsSeen RequestLimits::admit(const std::string& client_address) {
    const auto key = key_of(client_address);
    if (key.empty()) return {};
    const auto quota = a_minute(address_requests_per_minute_);
    return {{LimitKind::address, quota, limiter_.take(key, quota)}};
}

LimitsSeen RequestLimits::look(const std::string& client_address) const {
    const auto key = key_of(client_address);
    if (key.empty()) return {};
    const auto quota = a_minute(address_requests_per_minute_);
    return {{LimitKind::address, quota, limiter_.look(key, quota)}};
}

// Empty for one that is not limited. Whoever has one IPv6 address has the network around it.
std::string RequestLimits::key_of(const std::string& client_address) const {
    if (address_requests_per_minute_ == 0) return {};
    const auto address = net::IpAddress::parse(client_address);
    if (!address || is_loopback(*address)) return {};
    if (address->is_v4()) return "ip " + address->text();
    if (const auto inner = address->embedded_v4()) return "ip " + inner->text();
    std::string key = "ip6 ";
    for (std::size_t bit = 0; bit < kSharedBitsOfV6; ++bit) key += address->bit(bit) ? '1' : '0';
    return key;
}

}  // namespace synapsex::api_gateway
