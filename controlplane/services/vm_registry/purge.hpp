#pragma once

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/tenant_purge.hpp"

namespace synapsex::vm_registry {

// A VM at a time, with inventory and telemetry.
class VmPurge final : public TenantPurge {
 public:
    explicit VmPurge(db::Database& database) : database_(database) {}

    Result<std::vector<TableCount>> count_rows(
        const Call& call, const TenantId& tenant
    ) override;
    Result<Done> remove_rows(const Call& call, const TenantId& tenant) override;

 private:
    db::Database& database_;
};

}  // namespace synapsex::vm_registry
