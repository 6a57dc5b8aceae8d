// Whether a tenant may have one more VM: its plan and its standing decide.

#include <thread>

#include "controlplane/services/agent_registry/agent_registry_fixture.hpp"

namespace synapsex::agent_registry {
namespace {

using ::testing::HasSubstr;
using tenant::LimitName;

class EnrollmentLimits : public AgentRegistryTest {
 protected:
    void allow(std::int64_t vms_max) {
        tenants.limits.plan = tenant::PlanName::free;
        tenants.limits.values[static_cast<std::size_t>(LimitName::vms)] = vms_max;
    }
    std::string token_for_many() { return make_token({.uses = {100}}); }
};

TEST_F(EnrollmentLimits, vms_up_to_the_limit_and_no_more) {
    allow(2);
    const auto first = enroll("web-1");
    enroll("web-2");
    const auto refused = enrollment.enroll(call_of({}), wish_of(make_token(), "web-3"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "tenants.vm_limit_reached");
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    EXPECT_THAT(refused.error().detail, HasSubstr("2 VMs (plan free), and there are 2. Remove"));
    agents.remove(operator_call(), {first.agent_id}).value();
    EXPECT_EQ(refusal_of(wish_of(make_token(), "web-3")), "enrolled");
}

TEST_F(EnrollmentLimits, a_refusal_uses_the_token_not_up) {
    allow(0);
    const auto wish = wish_of(make_token());
    EXPECT_EQ(refusal_of(wish), "tenants.vm_limit_reached");
    allow(1);
    EXPECT_EQ(refusal_of(wish), "enrolled");
}

TEST_F(EnrollmentLimits, who_is_in_may_say_so_again_whatever_has_become_of_the_tenant) {
    const auto wish = wish_of(make_token());
    ASSERT_EQ(refusal_of(wish), "enrolled");
    allow(0);
    tenants.standing.state = TenantState::suspended;
    EXPECT_EQ(refusal_of(wish), "enrolled");
}

TEST_F(EnrollmentLimits, no_vm_of_a_tenant_that_is_not_active) {
    const auto wish = wish_of(make_token());
    tenants.standing = {TenantState::suspended, {}, "unpaid invoices", {}};
    const auto refused = enrollment.enroll(call_of({}), wish);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::forbidden);
    EXPECT_THAT(refused.error().detail, HasSubstr("unpaid invoices"));
    tenants.standing = {TenantState::pending_deletion, {}, {}, clock.now()};
    EXPECT_EQ(refusal_of(wish), "tenants.pending_deletion");
    tenants.standing = {};
    EXPECT_EQ(refusal_of(wish), "enrolled");
}

TEST_F(EnrollmentLimits, a_wrong_secret_learns_nothing_of_the_tenant) {
    auto wish = wish_of(make_token());
    auto& secret = wish.token.value;
    secret[secret.find('.') + 1] = secret[secret.find('.') + 1] == 'x' ? 'y' : 'x';
    tenants.standing.state = TenantState::suspended;
    EXPECT_EQ(refusal_of(wish), "enrollment.token_invalid");
    tenants.is_purged = true;
    EXPECT_EQ(refusal_of(wish), "enrollment.token_invalid");
}

TEST_F(EnrollmentLimits, of_many_at_once_as_many_get_in_as_there_is_room_for) {
    allow(3);
    const auto token = token_for_many();
    std::vector<Enroll> wishes;
    for (int i = 0; i < 8; ++i) wishes.push_back(wish_of(token, "web-" + std::to_string(i)));
    std::atomic<int> enrolled = 0;
    std::vector<std::thread> threads;
    for (const auto& wish : wishes)
        threads.emplace_back([&] {
            // Conflicts on PostgreSQL may outlast its retries: whoever is told so asks again.
            std::string answer;
            do answer = refusal_of(wish);
            while (answer == "database.busy");
            if (answer == "enrolled") ++enrolled;
            else EXPECT_EQ(answer, "tenants.vm_limit_reached");
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(enrolled, 3);
    EXPECT_EQ(agents.list(operator_call(), {}).value().value.size(), 3U);
}

}  // namespace
}  // namespace synapsex::agent_registry
