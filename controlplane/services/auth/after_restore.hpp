#pragma once

// What of this service must not come back with an older copy of its database; run by
// `synapsex-controlplane restore` on both engines. $now is the time in microseconds.

#include <string_view>

namespace synapsex::auth {

// A refresh token that was replaced after the backup would be good again, and its theft would not
// be noticed any more: everybody signs in again.
inline constexpr std::string_view kAfterRestore = "DELETE FROM auth_sessions;";
inline constexpr std::string_view kRevokeAfterRestore =
    "UPDATE auth_api_keys SET revoked_at = $now WHERE revoked_at IS NULL;";

}  // namespace synapsex::auth
