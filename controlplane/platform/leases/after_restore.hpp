#pragma once

// What of leases must not come back with an older copy of a database; run by
// `synapsex-controlplane restore` on both engines.

#include <string_view>

namespace synapsex::leases {

// Nobody holds what stands there. Tokens need nothing: the next one is greater anyway.
inline constexpr std::string_view kAfterRestore = "UPDATE platform_leases SET expires_at = 0;";

}  // namespace synapsex::leases
