#pragma once

// The end of a tenant whose grace is over: its rows go, in every service, and a certificate of that
// stays.
//
//   begin ──▶ for each service, those first that depend on others: ──▶ finish: its own rows,
//   (in tenant_purges; from here on     count, remember, remove          certificate, event
//   nobody takes the deletion back)
//
// Each step may be repeated, by this process or another, and the counts that were remembered first
// stay: so a crash anywhere loses nothing but time.

#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/tenant_purge.hpp"
#include "controlplane/services/tenant/public.hpp"
#include "controlplane/services/tenant/standings.hpp"
#include "shared/base/random.hpp"

namespace synapsex::tenant {

class Purges {
 public:
    Purges(db::Database& database, const Clock& clock, Random& random, Standings& standings)
        : database_(database), clock_(clock), random_(random), standings_(standings) {}

    // In the order in which they are asked. Before the first run.
    void set_services(std::vector<TenantPurge*> services) { services_ = std::move(services); }

    // All that are due, by the database's clock and this process's. The first failure, after the
    // others were tried.
    Result<Done> run(const Call& call);

 private:
    Result<Done> purge(const Call& call, const TenantId& tenant);
    Result<bool> begin(const Call& in_tenant);
    Result<Done> empty(const Call& in_tenant, TenantPurge& service);
    Result<Done> finish(const Call& in_tenant);

    db::Database& database_;
    const Clock& clock_;
    Random& random_;
    Standings& standings_;
    std::vector<TenantPurge*> services_;
};

}  // namespace synapsex::tenant
