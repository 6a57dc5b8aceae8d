#pragma once

#include "controlplane/platform/auth/authenticator.hpp"
#include "controlplane/platform/http/server.hpp"

namespace synapsex::api_gateway {

// Authorization: Bearer <token or key>, or X-API-Key: <key>; X-Tenant-Id chooses the tenant.
// Kind::unauthenticated auth.credential_missing, auth.credential_malformed (another scheme, both
// headers at once, a header twice).
Result<Credential> find_credential(const http::RequestHead& head);

}  // namespace synapsex::api_gateway
