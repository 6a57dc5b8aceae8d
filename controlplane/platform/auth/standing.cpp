#include "controlplane/platform/auth/standing.hpp"

namespace synapsex {

Result<Done> check_active(const Standing& standing) {
    switch (standing.state) {
        case TenantState::active: break;
        case TenantState::suspended:
            return Problem{
                Kind::forbidden, "tenants.suspended",
                "This tenant is suspended (" + standing.reason +
                    "): it can be read, and nothing can be changed. Ask whoever runs this server."
            };
        case TenantState::pending_deletion:
            return Problem{
                Kind::forbidden, "tenants.pending_deletion",
                "This tenant is to be deleted" +
                    (standing.until ? " at " + format_rfc3339(*standing.until) : std::string{}) +
                    ". Until then it can be read, and nothing can be changed. An owner takes that "
                    "back with POST /v1/tenants/{tenantId}/restore."
            };
    }
    return Done{};
}

}  // namespace synapsex
