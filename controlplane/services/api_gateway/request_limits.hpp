#pragma once

// How much a caller may ask for, in three kinds of limit: of a credential, of its tenant (by its
// plan), and of an address for who has shown no credential that counts. Each process counts for
// itself: behind a balancer, N replicas let up to N times as much through.

#include <optional>
#include <string>
#include <vector>

#include "controlplane/platform/api/reply.hpp"
#include "controlplane/platform/auth/call.hpp"
#include "controlplane/services/api_gateway/api.hpp"
#include "controlplane/services/api_gateway/rate_limiter.hpp"
#include "shared/base/problem.hpp"

namespace synapsex::api_gateway {

// Of a daemon on a VM, which asks a few times a minute: keeps a broken one from the others.
inline constexpr std::int64_t kAgentRequestsPerMinute = 600;

// One limit that a request fell under, and what it left.
struct LimitSeen {
    LimitKind kind = LimitKind::tenant;
    Quota quota{};
    Level level{};
};

// Of one request: empty where nothing limits it; else the last is over, or none is.
using LimitsSeen = std::vector<LimitSeen>;

bool is_over(const LimitsSeen& seen);

// 429 request.rate_limited, which says whose limit it is and when to come again.
Problem over_limit(const LimitsSeen& seen);

// RateLimit-Policy with each limit, RateLimit with the one that has least left of its quota
// (draft-ietf-httpapi-ratelimit-headers). Nothing for a request that nothing limits.
void add_limit_headers(const LimitsSeen& seen, api::Reply& reply);

// Any thread; microseconds, no database.
class RequestLimits {
 public:
    // 0: addresses are not limited.
    RequestLimits(const Clock& clock, std::int64_t address_requests_per_minute);

    // For a caller who is known. Takes one of each limit that there is, or nothing.
    LimitsSeen admit(const Principal& principal);

    // For who shows no credential, or has shown a wrong one. Loopback is not limited: behind a
    // proxy that --trusted-proxies does not name it would be everybody.
    LimitsSeen admit(const std::string& client_address);
    // The same without taking any: before a credential is looked up that nobody knows yet.
    LimitsSeen look(const std::string& client_address) const;

 private:
    std::string key_of(const std::string& client_address) const;

    RateLimiter limiter_;
    const std::int64_t address_requests_per_minute_;
};

}  // namespace synapsex::api_gateway
