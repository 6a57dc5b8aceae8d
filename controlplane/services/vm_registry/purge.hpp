#pragma once

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/tenant/public.hpp"

namespace synapsex::vm_registry {

// A VM at a time, with inventory and telemetry.
class VmPurge final : public tenant::TenantPurge {
 public:
    explicit VmPurge(db::Database& database) : database_(database) {}

    Result<std::vector<tenant::TableCount>> count_rows(
        const Call& call, const TenantId& tenant
    ) override;
    Result<Done> remove_rows(const Call& call, const TenantId& tenant) override;

 private:
    db::Database& database_;
};

}  // namespace synapsex::vm_registry
