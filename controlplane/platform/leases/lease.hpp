#pragma once

// What a holder holds: the name of a role and the token that proves it.

#include <cstdint>
#include <string>

#include "shared/base/problem.hpp"

namespace synapsex::leases {

struct Lease {
    std::string name;
    std::int64_t token = 0;
};

// 409 "lease.lost": another holds it by now, or nobody; nothing was changed.
Problem lease_lost();

}  // namespace synapsex::leases
