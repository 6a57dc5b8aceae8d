#include "controlplane/services/api_gateway/answer_fields.hpp"

#include <algorithm>

#include "controlplane/platform/api/gzip.hpp"
#include "controlplane/platform/http/response.hpp"

namespace synapsex::api_gateway {

namespace {

// Documents and lists. What is packed already (fonts, images) or is small binary gains nothing.
bool is_text(std::string_view content_type) {
    return content_type.starts_with("application/json") ||
           content_type.starts_with("application/problem+json") ||
           content_type.starts_with("application/x-ndjson") ||
           content_type.starts_with("text/");
}

bool has_header(const api::Reply& reply, std::string_view name) {
    return std::ranges::any_of(reply.headers, [&](const auto& header) {
        return header.first == name;
    });
}

void pack(const AnswerTerms& terms, const api::OperationInfo& operation, api::Reply& reply) {
    const bool is_lasting = !reply.lasting_body.empty();
    const bool can_pack = is_lasting ? !reply.lasting_gzip.empty()
                                     : operation.runs == api::Runs::pool &&
                                           is_text(reply.content_type) &&
                                           reply.body.size() >= kPackedBytesMin;
    // Packed it would be other bytes under the same strong validator.
    if (!can_pack || has_header(reply, "ETag")) return;
    reply.headers.emplace_back("Vary", "Accept-Encoding");
    if (!terms.takes_gzip) return;
    if (is_lasting) reply.lasting_body = reply.lasting_gzip;
    else reply.body = api::gzip(reply.body);
    reply.headers.emplace_back("Content-Encoding", "gzip");
}

// Of a request with a credential or a secret: for one caller (RFC 6749, section 5.1).
bool is_for_everybody(const api::OperationInfo& operation) {
    return operation.access.kind == auth::AccessKind::anyone &&
           operation.method == api::Verb::get;
}

}  // namespace

Headers deprecation_headers(const api::Deprecation& deprecation) {
    Headers headers;
    if (deprecation.since.empty()) return headers;
    const auto since = parse_rfc3339(deprecation.since).value();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since.time_since_epoch());
    headers.emplace_back("Deprecation", "@" + std::to_string(seconds.count()));
    if (!deprecation.sunset.empty())
        headers.emplace_back(
            "Sunset", http::format_http_date(parse_rfc3339(deprecation.sunset).value())
        );
    if (!deprecation.successor.empty())
        headers.emplace_back(
            "Link", "<" + std::string{deprecation.successor} + ">; rel=\"successor-version\""
        );
    return headers;
}

void finish_answer(const CrossOrigin& pages, const AnswerTerms& terms, api::Reply& reply) {
    reply.headers.emplace_back("X-Request-Id", terms.request_id);
    if (!terms.traceparent.empty()) reply.headers.emplace_back("traceparent", terms.traceparent);
    add_limit_headers(terms.limits, reply);
    pages.allow(terms.origin, reply);
}

void finish_answer(
    const CrossOrigin& pages,
    const AnswerTerms& terms,
    const api::OperationInfo& operation,
    api::Reply& reply
) {
    finish_answer(pages, terms, reply);
    if (!is_for_everybody(operation)) reply.headers.emplace_back("Cache-Control", "no-store");
    if (!operation.deprecation.since.empty())
        for (auto& header : deprecation_headers(operation.deprecation))
            reply.headers.push_back(std::move(header));
    pack(terms, operation, reply);
}

}  // namespace synapsex::api_gateway
