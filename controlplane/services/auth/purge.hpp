#pragma once

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/tenant/public.hpp"

namespace synapsex::auth {

// API keys, and what agents proved themselves with. Users and their sessions are nobody's tenant's:
// they stay.
class AuthPurge final : public tenant::TenantPurge {
 public:
    explicit AuthPurge(db::Database& database) : database_(database) {}

    Result<std::vector<tenant::TableCount>> count_rows(
        const Call& call, const TenantId& tenant
    ) override;
    Result<Done> remove_rows(const Call& call, const TenantId& tenant) override;

 private:
    db::Database& database_;
};

}  // namespace synapsex::auth
