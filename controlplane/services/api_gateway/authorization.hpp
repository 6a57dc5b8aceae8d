#pragma once

#include "controlplane/platform/auth/call.hpp"
#include "shared/base/result.hpp"

namespace synapsex::api_gateway {

// Whether the principal may do what the operation asks for: 403 auth.sign_in_required,
// auth.scope_missing, auth.wrong_kind_of_caller.
Result<Done> authorize(const Principal& principal, const auth::Access& access);

}  // namespace synapsex::api_gateway
