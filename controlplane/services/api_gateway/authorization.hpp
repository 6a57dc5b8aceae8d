#pragma once

#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/auth/call.hpp"
#include "shared/base/result.hpp"

namespace synapsex::api_gateway {

// Whether the principal may do what the operation asks for: 403 auth.sign_in_required,
// auth.scope_missing, auth.wrong_kind_of_caller; and whether its tenant may now: tenants.suspended,
// tenants.pending_deletion.
Result<Done> authorize(const Principal& principal, const api::OperationInfo& operation);

}  // namespace synapsex::api_gateway
