#include "controlplane/services/tenant/entitlements.hpp"

#include <gtest/gtest.h>

#include "shared/base/describe.hpp"

namespace synapsex::tenant {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};

LimitOverride override_of(LimitName name, LimitValue value, std::optional<Timestamp> expires = {}) {
    return {name, value, "trial", "root (uid 0)", kNow - 1h, expires};
}

TEST(Plans, every_name_has_versions_that_count_up_from_one) {
    for (const auto name : enumerator_names<PlanName>()) {
        const auto plan = *parse_enum<PlanName>(name);
        std::int64_t version = 0;
        for (const auto& each : kPlans) {
            if (each.name != plan) continue;
            EXPECT_EQ(each.version, ++version) << name;
        }
        EXPECT_GE(version, 1) << name;
        EXPECT_EQ(newest_plan(plan).version, version) << name;
        EXPECT_EQ(find_plan(plan, version + 1), nullptr) << name;
        EXPECT_EQ(find_plan(plan, 0), nullptr) << name;
    }
}

// A version that was given to tenants once is never another thing.
TEST(Plans, the_first_versions_are_what_they_were) {
    using Limits = std::array<LimitValue, kLimitNames>;
    EXPECT_EQ(find_plan(PlanName::free, 1)->limits, (Limits{5, 10, 5, 300, 100'000, 100'000}));
    EXPECT_EQ(
        find_plan(PlanName::pro, 1)->limits, (Limits{25, 100, 25, 1'200, 1'000'000, 2'000'000})
    );
    EXPECT_EQ(
        find_plan(PlanName::team, 1)->limits,
        (Limits{100, 1'000, 50, 6'000, 10'000'000, 20'000'000})
    );
    EXPECT_EQ(find_plan(PlanName::enterprise, 1)->limits, Limits{});
}

TEST(Limits, are_the_plans_unless_an_override_that_counts_says_otherwise) {
    const std::vector overrides{
        override_of(LimitName::vms, 500), override_of(LimitName::members, kUnlimited),
        override_of(LimitName::keys, 99, kNow)};
    const auto limits = limits_of(PlanName::free, 1, overrides, kNow);
    EXPECT_EQ(limits.value(LimitName::vms), 500);
    EXPECT_EQ(limits.value(LimitName::members), kUnlimited);
    EXPECT_EQ(limits.value(LimitName::keys), 5) << "it expired at this very instant";
    EXPECT_EQ(limits.value(LimitName::requests_per_minute), 300);
    EXPECT_EQ(limits_of(PlanName::free, 1, overrides, kNow - 1us).value(LimitName::keys), 99);
}

TEST(Limits, an_override_may_also_lower_what_a_plan_allows) {
    const std::vector overrides{override_of(LimitName::vms, 0)};
    const auto limits = limits_of(PlanName::enterprise, 1, overrides, kNow);
    EXPECT_FALSE(limits.have_room(LimitName::vms, 0));
    EXPECT_TRUE(limits.have_room(LimitName::members, 100'000));
}

TEST(Limits, of_a_version_that_a_newer_release_gave_are_the_newest_known_ones) {
    EXPECT_EQ(limits_of(PlanName::pro, 7, {}, kNow).value(LimitName::vms), 100);
}

TEST(Limits, leave_room_for_one_more_below_the_limit_alone) {
    const auto limits = limits_of(PlanName::free, 1, {}, kNow);
    EXPECT_TRUE(limits.have_room(LimitName::vms, 9));
    EXPECT_FALSE(limits.have_room(LimitName::vms, 10));
    EXPECT_FALSE(limits.have_room(LimitName::vms, 12)) << "it was lowered since";
}

TEST(Limits, a_refusal_names_plan_limit_use_and_what_to_do) {
    const auto limits = limits_of(PlanName::free, 1, {}, kNow);
    const auto problem = limits.reached("tenants.x", LimitName::vms, 12, "Remove one.");
    EXPECT_EQ(problem.kind, Kind::conflict);
    EXPECT_EQ(problem.code, "tenants.x");
    EXPECT_EQ(
        problem.detail,
        "This tenant's limit is 10 VMs (plan free), and there are 12. Remove one. Or ask whoever "
        "runs this server for more."
    );
}

}  // namespace
}  // namespace synapsex::tenant
