#pragma once

// What one tenant may use: its plan, and what was said of it alone.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "controlplane/services/tenant/plans.hpp"
#include "shared/base/problem.hpp"
#include "shared/base/time.hpp"

namespace synapsex::tenant {

// Goes before the plan's limit until it expires, which no sweep has to notice: the clock decides.
struct LimitOverride {
    LimitName name = LimitName::members;
    LimitValue value;
    std::string reason;
    std::string set_by;  // "root (uid 0)"
    Timestamp set_at{};
    std::optional<Timestamp> expires_at;  // nullopt: it does not
};
BOOST_DESCRIBE_STRUCT(LimitOverride, (), (name, value, reason, set_by, set_at, expires_at))

bool counts(const LimitOverride& override, Timestamp now);

struct TenantLimits {
    PlanName plan = PlanName::free;
    std::array<LimitValue, kLimitNames> values{};  // in the order of LimitName

    LimitValue value(LimitName name) const { return values[static_cast<std::size_t>(name)]; }
    // Whether one more may be added to as many as there are. What is there stays, also over a limit
    // that was lowered.
    bool have_room(LimitName name, std::int64_t used) const {
        const auto limit = value(name);
        return !limit || used < *limit;
    }
    // 409: "This tenant's limit is 10 VMs (plan free), and there are 10."; then what to do.
    Problem reached(
        std::string code, LimitName name, std::int64_t used, const std::string& advice
    ) const;
};

// The overrides that have expired do not count. A version that this release does not know (of a
// newer one) is taken for the newest that it does.
TenantLimits limits_of(
    PlanName plan, std::int64_t version, std::span<const LimitOverride> overrides, Timestamp now
);

}  // namespace synapsex::tenant
