#pragma once

// What of this service must not come back with an older copy of its database; run by
// `synapsex-controlplane restore` on both engines. $now is the time in microseconds.

#include <string_view>

namespace synapsex::agent_registry {

// The next start makes another incarnation, by which agents see that the server may have forgotten
// what they said.
inline constexpr std::string_view kAfterRestore = "DELETE FROM agent_registry_server;";
inline constexpr std::string_view kRevokeAfterRestore =
    "UPDATE agent_registry_enrollment_tokens SET revoked_at = $now WHERE revoked_at IS NULL;";

}  // namespace synapsex::agent_registry
