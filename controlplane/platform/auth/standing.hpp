#pragma once

// How a tenant stands with who runs the server: whether it may act, and how much. tenant-service
// knows it; authentication hands it to every call of the tenant's.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>

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
};
BOOST_DESCRIBE_STRUCT(Standing, (), (state, requests_per_minute))

}  // namespace synapsex
