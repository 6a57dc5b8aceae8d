#pragma once

// Slugs: the name of a tenant in URLs and in X-Tenant-Id. Lower-case ASCII letters and digits with
// single hyphens between them, so a slug is never mistaken for an id, which has an underscore.

#include <string>
#include <string_view>
#include <vector>

#include "controlplane/services/tenant/api.hpp"

namespace synapsex::tenant {

// [a-z0-9](-?[a-z0-9])*, 2 to 40 characters.
bool is_slug(std::string_view text);

// Slugs to try for a name, best first: the name itself, then with ever more of the tenant's own id.
// The same name and id give the same list, so a repeated creation ends where the first one did.
std::vector<std::string> slugs_for(std::string_view name, const TenantId& tenant);

}  // namespace synapsex::tenant
