#include "controlplane/services/api_gateway/handling.hpp"

#include "controlplane/platform/api/gzip.hpp"
#include "controlplane/platform/api/parameters.hpp"
#include "controlplane/services/api_gateway/header_text.hpp"
#include "controlplane/services/api_gateway/negotiation.hpp"

namespace synapsex::api_gateway {

namespace {

// nullopt without one. Two of them are malformed, as a list of two would be.
Result<std::optional<std::string>> find_idempotency_key(const http::RequestHead& head) {
    const auto value = list_header(head, "idempotency-key");
    if (!value) return std::optional<std::string>{};
    SYNAPSEX_TRY(auto key, api::parse_idempotency_key(*value));
    return std::optional{std::move(key)};
}

}  // namespace

Result<api::RequestParts> read_parts(const http::RequestHead& head, const api::Match& match) {
    api::RequestParts parts;
    SYNAPSEX_TRY(parts.query, api::parse_parameters(head.query));
    if (api::stores_answers(match.route->operation)) {
        SYNAPSEX_TRY(parts.idempotency_key, find_idempotency_key(head));
    }
    parts.path = match.path_parameters;
    parts.media_type = media_type_of(head.header("content-type"));
    return parts;
}

Result<Done> unpack_body(
    const api::OperationInfo& operation, const std::string& content_encoding, std::string& body
) {
    if (content_encoding.empty() || content_encoding == "identity") return Done{};
    const bool is_agent = operation.access.kind == auth::AccessKind::agent;
    if (!is_agent || content_encoding != "gzip")
        return Problem{
            Kind::unsupported_media, "request.unsupported_encoding",
            is_agent ? "Only Content-Encoding: gzip is understood."
                     : "Content-Encoding is not understood here."
        };
    SYNAPSEX_TRY(body, api::gunzip(body, kUnpackedBytesMax));
    return Done{};
}

}  // namespace synapsex::api_gateway
