#include "controlplane/services/api_gateway/explain.hpp"

#include "controlplane/platform/api/problem_document.hpp"
#include "shared/base/describe.hpp"

namespace synapsex::api_gateway {

namespace {

ExplainedCaller caller_of(const Receipt& receipt) {
    const auto& caller = *receipt.caller;
    return {
        .kind = caller.kind == PrincipalKind::api_key ? "api_key" : "user",
        .credential_id = caller.credential_id,
        .source = receipt.credential_source,
        .user_id = caller.user,
        .tenant_id = caller.tenant,
        .tenant_state = caller.standing.state,
        .role = caller.role,
    };
}

ExplainedLimit limit_of(const LimitSeen& seen) {
    return {
        .kind = seen.kind,
        .requests = seen.quota.requests,
        .window_seconds = seen.quota.window.count(),
        .remaining = seen.level.remaining,
        .is_over = seen.level.is_over,
    };
}

ExplainedTimes times_of(const Receipt& receipt) {
    const auto before = receipt.waiting + receipt.authentication;
    return {
        .waiting_microseconds = receipt.waiting.count(),
        .authentication_microseconds = receipt.authentication.count(),
        .operation_microseconds = (receipt.total - before).count(),
        .total_microseconds = receipt.total.count(),
    };
}

// A sentence on who decided, before what they said.
std::string_view decision_of(const Receipt& receipt) {
    switch (receipt.decided_by) {
        case DecidedBy::limit: return "Refused for its rate, before anything was done.";
        case DecidedBy::access: return "Refused for what the credential may do.";
        case DecidedBy::deadline: return "Given up before its turn came; nothing was done.";
        case DecidedBy::operation: break;
    }
    return receipt.status < 400 ? "Let in, and done." : "Let in; the operation itself refused it.";
}

}  // namespace

Result<Explanation> explain(const Receipts& receipts, const Call& call, const RequestPath& path) {
    const auto receipt = receipts.find(path.request_id.value, *call.principal);
    if (!receipt)
        return Problem{
            Kind::not_found, "requests.not_found",
            "No request of yours with this id is kept: it is older than half an hour, was made by "
            "somebody else or without a valid credential, or another replica answered it."
        };
    Explanation explanation{
        .request_id = receipt->request_id,
        .received_at = receipt->received_at,
        .method = receipt->method,
        .path = receipt->path,
        .operation = std::string{receipt->operation->id},
        .client_address = receipt->client_address,
        .status = receipt->status,
        .decided_by = receipt->decided_by,
        .summary = std::string{decision_of(*receipt)},
        .caller = caller_of(*receipt),
        .times = times_of(*receipt),
    };
    if (!receipt->problem.empty()) {
        const auto problem = api::parse_problem(receipt->status, receipt->problem);
        explanation.code = problem.code;
        explanation.summary += " " + problem.detail;
    }
    const auto& scope = receipt->operation->access.scope;
    if (!scope.empty()) {
        explanation.scope = std::string{scope};
        explanation.is_scope_granted = receipt->caller->scopes.contains(scope);
    }
    for (const auto& seen : receipt->limits) explanation.limits.push_back(limit_of(seen));
    return explanation;
}

}  // namespace synapsex::api_gateway
