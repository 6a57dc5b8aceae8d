#include "controlplane/services/api_gateway/cross_origin.hpp"

#include <algorithm>

#include "shared/net/url_rules.hpp"

namespace synapsex::api_gateway {

namespace {

// Of what a page may send, everything that an operation reads.
constexpr auto kRequestHeaders =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
    "X-API-Key, X-Request-Id, X-Tenant-Id, traceparent";
// Beyond those that every page may read.
constexpr auto kAnswerHeaders =
    "Deprecation, ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, "
    "Retry-After, Sunset, X-Request-Id, traceparent";
constexpr auto kAheadSeconds = "7200";  // no browser keeps it longer

}  // namespace

CrossOrigin::CrossOrigin(std::vector<std::string> origins)
    : origins_(std::move(origins)), is_any_(std::ranges::find(origins_, "*") != origins_.end()) {}

std::string CrossOrigin::origin_of(const http::RequestHead& head) const {
    if (origins_.empty()) return {};
    const auto origin = head.header("origin");
    const bool is_allowed = is_any_ || std::ranges::find(origins_, origin) != origins_.end();
    return is_allowed ? std::string{origin} : std::string{};
}

void CrossOrigin::allow(const std::string& origin, api::Reply& reply) const {
    if (origins_.empty()) return;
    // Also where it is refused: a cache must not give one page what it has for another.
    if (!is_any_) reply.headers.emplace_back("Vary", "Origin");
    if (origin.empty()) return;
    reply.headers.emplace_back("Access-Control-Allow-Origin", is_any_ ? "*" : origin);
    reply.headers.emplace_back("Access-Control-Expose-Headers", kAnswerHeaders);
}

void CrossOrigin::allow_ahead(
    const http::RequestHead& head, const std::string& methods, api::Reply& reply
) const {
    if (head.header("access-control-request-method").empty()) return;
    if (origin_of(head).empty()) return;
    reply.headers.emplace_back("Access-Control-Allow-Methods", methods);
    reply.headers.emplace_back("Access-Control-Allow-Headers", kRequestHeaders);
    reply.headers.emplace_back("Access-Control-Max-Age", kAheadSeconds);
}

bool is_origin(std::string_view text) {
    if (text == "*") return true;
    const bool is_lower = std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    const auto url = net::split_url(std::string{text});
    if (!url || !is_lower || (url->scheme != "https" && url->scheme != "http")) return false;
    std::string normal = url->scheme + "://" + url->host;
    const bool is_default = (url->scheme == "https" && url->port == 443) ||
                            (url->scheme == "http" && url->port == 80);
    if (!is_default) normal += ":" + std::to_string(url->port);
    return normal == text;
}

}  // namespace synapsex::api_gateway
