#include "controlplane/services/tenant/entitlements.hpp"

#include "shared/base/describe.hpp"

namespace synapsex::tenant {

namespace {

std::string_view counted_in(LimitName name) {
    switch (name) {
        case LimitName::members: return "members";
        case LimitName::vms: return "VMs";
        case LimitName::keys: return "API keys of a user";
        case LimitName::requests_per_minute: return "requests a minute";
        case LimitName::calls_per_month: return "calls a month";
        case LimitName::tokens_per_day: return "tokens a day";
    }
    return "";
}

}  // namespace

bool counts(const LimitOverride& override, Timestamp now) {
    return !override.expires_at || now < *override.expires_at;
}

Problem TenantLimits::reached(
    std::string code, LimitName name, std::int64_t used, const std::string& advice
) const {
    return {
        Kind::conflict, std::move(code),
        "This tenant's limit is " + std::to_string(value(name).value_or(0)) + " " +
            std::string{counted_in(name)} + " (plan " + std::string{enum_name(plan)} +
            "), and there are " + std::to_string(used) + ". " + advice +
            " Or ask whoever runs this server for more."
    };
}

TenantLimits limits_of(
    PlanName name, std::int64_t version, std::span<const LimitOverride> overrides, Timestamp now
) {
    const auto* plan = find_plan(name, version);
    TenantLimits limits{name, plan != nullptr ? plan->limits : newest_plan(name).limits};
    for (const auto& override : overrides)
        if (counts(override, now))
            limits.values[static_cast<std::size_t>(override.name)] = override.value;
    return limits;
}

}  // namespace synapsex::tenant
