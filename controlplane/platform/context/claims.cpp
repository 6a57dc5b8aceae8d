#include "controlplane/platform/context/claims.hpp"

#include <algorithm>

#include "controlplane/platform/api/codec_impl.hpp"

namespace synapsex::context {

namespace {

template <class Id>
std::optional<Id> unless_empty(const Id& id) {
    if (id.empty()) return std::nullopt;
    return id;
}

PrincipalClaims claims_of(const Principal& principal) {
    PrincipalClaims claims{
        .kind = principal.kind,
        .tenant = unless_empty(principal.tenant),
        .user = unless_empty(principal.user),
        .agent = unless_empty(principal.agent),
        .credential_id = {principal.credential_id},
        .role = principal.role,
        .scopes = {},
        .standing = principal.standing,
        .requests_per_minute = principal.requests_per_minute,
        .signed_in_at = principal.signed_in_at,
        .email = {principal.email},
        .full_name = {principal.full_name},
    };
    for (const auto& grant : auth::kScopes)
        if (principal.scopes.contains(grant.scope))
            claims.scopes.push_back({std::string{grant.scope}});
    return claims;
}

Principal principal_of(const PrincipalClaims& claims) {
    Principal principal{
        .kind = claims.kind,
        .tenant = claims.tenant.value_or(TenantId{}),
        .user = claims.user.value_or(UserId{}),
        .agent = claims.agent.value_or(AgentId{}),
        .credential_id = claims.credential_id,
        .role = claims.role,
        .scopes = {},
        .standing = claims.standing,
        .requests_per_minute = claims.requests_per_minute,
        .signed_in_at = claims.signed_in_at,
        .email = claims.email,
        .full_name = claims.full_name,
    };
    for (const auto& scope : claims.scopes) principal.scopes.add(scope.value);
    return principal;
}

}  // namespace

std::string write_claims(const Claims& claims) {
    std::string json;
    api::Codec<Claims>::write_json(claims, json);
    return json;
}

Result<Claims> read_claims(std::string_view json) {
    return api::Codec<Claims>::read_json(json, api::Unknown::ignore);
}

CallClaims claims_of(const Call& call, const Clock& clock) {
    CallClaims claims{
        .request_id = {call.request_id},
        .tenant = unless_empty(call.tenant),
        .principal = claims_of(*call.principal),
        .deadline_ms = std::nullopt,
        .traceparent = {call.traceparent},
        .client_address = {call.client_address},
        .argument_digest = {call.argument_digest},
    };
    if (call.deadline.instant() != Deadline::never().instant()) {
        using Limits = Int<0, 86'400'000>;
        const auto left =
            std::chrono::floor<std::chrono::milliseconds>(call.deadline.remaining(clock));
        claims.deadline_ms = Limits{std::min<std::int64_t>(left.count(), Limits::kMax)};
    }
    return claims;
}

Call call_of(const CallClaims& claims, const Clock& clock) {
    Call call{
        .request_id = claims.request_id,
        .tenant = claims.tenant.value_or(TenantId{}),
        .principal = std::make_shared<const Principal>(principal_of(claims.principal)),
        .deadline = Deadline::never(),
        .traceparent = claims.traceparent,
        .client_address = claims.client_address,
        .argument_digest = claims.argument_digest,
    };
    if (claims.deadline_ms)
        call.deadline =
            Deadline::after(clock, std::chrono::milliseconds{claims.deadline_ms->value});
    return call;
}

}  // namespace synapsex::context
