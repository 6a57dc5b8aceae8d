#include "controlplane/services/auth/purge.hpp"

#include "controlplane/services/auth/store.hpp"

namespace synapsex::auth {

Result<std::vector<TableCount>> AuthPurge::count_rows(
    const Call& call, const TenantId& tenant
) {
    return database_.read(
        call.of_tenant(tenant),
        [&](db::Session& session) -> Result<std::vector<TableCount>> {
            return AuthStore{session}.count_rows(tenant);
        }
    );
}

Result<Done> AuthPurge::remove_rows(const Call& call, const TenantId& tenant) {
    return database_.write(call.of_tenant(tenant), [&](db::Session& session) -> Result<Done> {
        AuthStore{session}.remove_rows(tenant);
        return Done{};
    });
}

}  // namespace synapsex::auth
