#pragma once

// The plans: the one table that says what each allows, in every version that a tenant may have.
// What was sold stays: a change of numbers is a new version, with a line of its own here, and
// tenants keep the version that they have until somebody moves them.

#include <array>
#include <boost/describe.hpp>
#include <cstdint>
#include <optional>

namespace synapsex::tenant {

enum class PlanName { free, pro, team, enterprise };
BOOST_DESCRIBE_ENUM(PlanName, free, pro, team, enterprise)

enum class LimitName {
    members,              // of the tenant
    vms,                  // of the tenant
    keys,                 // API keys of one user in the tenant
    requests_per_minute,  // of the tenant's users and API keys together
    calls_per_month,      // of the same; a month of UTC
    tokens_per_day,       // of models, in and out; a day of UTC
};
BOOST_DESCRIBE_ENUM(
    LimitName, members, vms, keys, requests_per_minute, calls_per_month, tokens_per_day
)
inline constexpr std::size_t kLimitNames = 6;

// nullopt: unlimited, but for what the server itself bears (kMembersMax, kApiKeysMax).
using LimitValue = std::optional<std::int64_t>;
inline constexpr LimitValue kUnlimited{};

struct Plan {
    PlanName name;
    std::int64_t version;
    std::array<LimitValue, kLimitNames> limits;  // in the order of LimitName

    constexpr LimitValue limit(LimitName limit) const {
        return limits[static_cast<std::size_t>(limit)];
    }
};

// By name, oldest version first.
// clang-format off
inline constexpr std::array kPlans{
    //                     version  members  vms   keys  requests  calls       tokens
    //                                                   a minute  a month     a day
    Plan{PlanName::free,       1, {   5,    10,     5,     300,    100'000,    100'000}},
    Plan{PlanName::pro,        1, {  25,   100,    25,   1'200,  1'000'000,  2'000'000}},
    Plan{PlanName::team,       1, { 100, 1'000,    50,   6'000, 10'000'000, 20'000'000}},
    Plan{PlanName::enterprise, 1, {kUnlimited, kUnlimited, kUnlimited, kUnlimited, kUnlimited,
                                   kUnlimited}},
};
// clang-format on

// nullptr: there is none, and never was.
const Plan* find_plan(PlanName name, std::int64_t version);
// The version that a tenant gets now.
const Plan& newest_plan(PlanName name);

}  // namespace synapsex::tenant
