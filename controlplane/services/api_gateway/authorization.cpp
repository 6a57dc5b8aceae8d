#include "controlplane/services/api_gateway/authorization.hpp"

#include "shared/base/describe.hpp"

namespace synapsex::api_gateway {

namespace {

Result<Done> check_caller(const Principal& principal, const auth::Access& access) {
    using auth::AccessKind;
    const bool is_person = principal.kind == PrincipalKind::user ||
                           principal.kind == PrincipalKind::api_key;
    if (access.is_closed_to_keys && principal.kind == PrincipalKind::api_key)
        return Problem{
            Kind::forbidden, "auth.sign_in_required",
            "No API key may do this. Sign in with e-mail and password."
        };
    switch (access.kind) {
        case AccessKind::anyone:
        case AccessKind::proof: return Done{};
        case AccessKind::signed_in:
            if (is_person) return Done{};
            break;
        case AccessKind::agent:
            if (principal.kind == PrincipalKind::agent) return Done{};
            break;
        case AccessKind::user:
            if (!is_person) break;
            if (principal.scopes.contains(access.scope)) return Done{};
            return Problem{
                Kind::forbidden, "auth.scope_missing",
                "This needs the scope " + std::string{access.scope} + ", which the role " +
                    std::string{enum_name(principal.role)} + " does not have."
            };
    }
    return Problem{
        Kind::forbidden, "auth.wrong_kind_of_caller",
        access.kind == AccessKind::agent ? "Only agents may call this."
                                         : "Only users and API keys may call this."
    };
}

// What a suspended tenant's agents report is let in: its VMs are to be seen as they are.
bool goes_on_in_any_standing(const api::OperationInfo& operation) {
    return operation.method == api::Verb::get || operation.access.is_open_in_any_standing ||
           !operation.access.reads_credential() ||
           operation.access.kind == auth::AccessKind::agent;
}

}  // namespace

Result<Done> authorize(const Principal& principal, const api::OperationInfo& operation) {
    SYNAPSEX_CHECK(check_caller(principal, operation.access));
    if (goes_on_in_any_standing(operation)) return Done{};
    return check_active(principal.standing);
}

}  // namespace synapsex::api_gateway
