#pragma once

// How a tenant stands with who runs the server: whether it may act, and how much. tenant-service
// knows it; authentication hands it to every call of the tenant's.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace synapsex {

enum class TenantState {
    active,
    suspended,         // reads what it has, changes nothing
    pending_deletion,  // the same, until it is purged
};
BOOST_DESCRIBE_ENUM(TenantState, active, suspended, pending_deletion)

struct Standing {
    TenantState state = TenantState::active;
    std::optional<std::int64_t> requests_per_minute{};  // nullopt: as many as the server bears
    std::string reason{};                // of a suspension, for the tenant's people to read
    std::optional<Timestamp> until{};    // when a tenant that is to be deleted is gone
};
BOOST_DESCRIBE_STRUCT(Standing, (), (state, requests_per_minute, reason, until))

// Whether the tenant may change anything: 403 tenants.suspended or tenants.pending_deletion, with
// why, and who can help.
Result<Done> check_active(const Standing& standing);

}  // namespace synapsex
