#pragma once

// The end of what is kept of a tenant, as each service sees it.

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "controlplane/platform/auth/call.hpp"
#include "shared/base/result.hpp"

namespace synapsex {

// How many rows of a tenant's a table has.
struct TableCount {
    std::string table;
    std::int64_t rows = 0;
};
BOOST_DESCRIBE_STRUCT(TableCount, (), (table, rows))

// What a service keeps of a tenant, and how it goes. Every service with tables of tenants has one,
// but for what stays; tenant-service asks them all once the grace of a deletion is over, those
// first that depend on others. Nothing new comes in any more then.
class TenantPurge {
 public:
    virtual ~TenantPurge() = default;

    virtual Result<std::vector<TableCount>> count_rows(
        const Call& call, const TenantId& tenant
    ) = 0;
    // All of them, in batches, so that others write in between. Repeatable: what breaks off is
    // taken up again.
    virtual Result<Done> remove_rows(const Call& call, const TenantId& tenant) = 0;
};

}  // namespace synapsex
