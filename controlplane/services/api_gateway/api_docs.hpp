#pragma once

// What the OpenAPI document says about the structs of /v1/requests. Included by api.cpp only.

#include "controlplane/services/api_gateway/api.hpp"

namespace synapsex::api {

template <>
inline constexpr Doc kDocOf<api_gateway::RequestPath>{
    "A request of the caller's.",
    {{{"request_id", "As X-Request-Id and problem documents have it.",
       R"("req_01jgjz2m1xq3v5n8b7w6t4r2e0")"}}}
};
template <>
inline constexpr Doc kDocOf<api_gateway::ExplainedCaller>{
    "Whom the credential of the request was taken for, at that moment.",
    {{{"kind", "What kind of credential it was: user or api_key.", R"("api_key")"},
      {"credential_id", "The session or API key.", R"("key_01jgjz2m1xq3v5n8b7w6t4r2e0")"},
      {"source", "Where it was known from; memory is at most some seconds old.", R"("memory")"},
      {"user_id", "The user, also behind an API key."},
      {"tenant_id", "The tenant that the request acted in."},
      {"tenant_state", "How that tenant stood.", R"("active")"},
      {"role", "The user's role there.", R"("viewer")"}}}
};
template <>
inline constexpr Doc kDocOf<api_gateway::ExplainedLimit>{
    "A limit that the request fell under.",
    {{{"kind", "Whose: the credential's, its tenant's by the plan, the address's.",
       R"("tenant")"},
      {"requests", "How many are allowed in the window, evenly refilled.", "600"},
      {"window_seconds", "The window.", "60"},
      {"remaining", "What was left after the request.", "599"},
      {"is_over", "Whether this limit refused the request.", "false"}}}
};
template <>
inline constexpr Doc kDocOf<api_gateway::ExplainedTimes>{
    "Where the time went, from the end of the request's header to its answer.",
    {{{"waiting_microseconds", "For a worker.", "40"},
      {"authentication_microseconds", "Asking who calls; 0 where that was remembered.", "210"},
      {"operation_microseconds", "The rest: the body's arrival and the operation.", "1800"},
      {"total_microseconds", "All.", "2050"}}}
};
template <>
inline constexpr Doc kDocOf<api_gateway::Explanation>{
    "Why a request was answered as it was.",
    {{{"request_id", "The request.", R"("req_01jgjz2m1xq3v5n8b7w6t4r2e0")"},
      {"received_at", "When its header had come."},
      {"method", "Its method.", R"("PATCH")"},
      {"path", "Its path, without the query.",
       R"("/v1/tenants/ten_01jgjz2m1xq3v5n8b7w6t4r2e0")"},
      {"operation", "The operation that it was for, as in this document.",
       R"("tenants.update")"},
      {"client_address", "Where it came from.", R"("203.0.113.7")"},
      {"status", "The HTTP status of its answer.", "403"},
      {"decided_by", "Who gave the answer: a limit, the check of what the credential may do "
                     "(access), the deadline, or the operation itself.",
       R"("access")"},
      {"summary", "The same in a sentence or two, for people."},
      {"code", "The code of the problem; null where there was none.",
       R"("auth.scope_missing")"},
      {"scope", "What the operation asks for; null where it asks for none.",
       R"("tenants.write")"},
      {"is_scope_granted", "Whether the credential had it; null where none is asked for.",
       "false"},
      {"caller", "Who asked."},
      {"limits", "Each that was looked at; the last one refused, or none did."},
      {"times", "How long it took."}}}
};

}  // namespace synapsex::api
