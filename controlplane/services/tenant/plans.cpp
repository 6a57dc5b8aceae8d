#include "controlplane/services/tenant/plans.hpp"

#include <stdexcept>

namespace synapsex::tenant {

const Plan* find_plan(PlanName name, std::int64_t version) {
    for (const auto& plan : kPlans)
        if (plan.name == name && plan.version == version) return &plan;
    return nullptr;
}

const Plan& newest_plan(PlanName name) {
    const Plan* newest = nullptr;
    for (const auto& plan : kPlans)
        if (plan.name == name) newest = &plan;
    if (newest == nullptr) throw std::logic_error("a plan without a version");
    return *newest;
}

}  // namespace synapsex::tenant
