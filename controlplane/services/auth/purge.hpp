#pragma once

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/tenant_purge.hpp"

namespace synapsex::auth {

// API keys, and what agents proved themselves with. Users and their sessions are nobody's tenant's:
// they stay.
class AuthPurge final : public TenantPurge {
 public:
    explicit AuthPurge(db::Database& database) : database_(database) {}

    Result<std::vector<TableCount>> count_rows(
        const Call& call, const TenantId& tenant
    ) override;
    Result<Done> remove_rows(const Call& call, const TenantId& tenant) override;

 private:
    db::Database& database_;
};

}  // namespace synapsex::auth
