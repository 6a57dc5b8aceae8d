#include "controlplane/platform/auth/call.hpp"

namespace synapsex {

Call Call::system(std::string name, Deadline deadline) {
    auto principal = std::make_shared<Principal>();
    principal->kind = PrincipalKind::system;
    return Call{
        .request_id = std::move(name),
        .tenant = {},
        .principal = std::move(principal),
        .deadline = deadline,
    };
}

Call Call::of_tenant(const TenantId& proved) const {
    Call call = *this;
    call.tenant = proved;
    return call;
}

}  // namespace synapsex
