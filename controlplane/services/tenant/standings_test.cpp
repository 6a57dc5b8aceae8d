#include "controlplane/services/tenant/standings.hpp"

#include <gmock/gmock.h>

#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/services/tenant/migrations.hpp"
#include "controlplane/services/tenant/service.hpp"
#include "controlplane/services/tenant/store.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/posted_messages.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::tenant {
namespace {

using auth::Role;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

template <class T>
std::string code_of(const Result<T>& result) {
    return result ? "" : result.error().code;
}

class StandingsTest : public ::testing::Test {
 protected:
    StandingsTest() {
        standings.on_changed([this](const TenantId& tenant) { told.push_back(tenant); });
    }

    UserId new_user() {
        clock.advance(1s);
        return UserId::make(clock.now(), random);
    }
    Call call_of(const UserId& user, const TenantId& tenant) {
        auto principal = std::make_shared<Principal>();
        principal->kind = PrincipalKind::user;
        principal->user = user;
        principal->tenant = tenant;
        if (const auto standing = standings.get_standing(root(), tenant))
            principal->standing = *standing;
        return {.request_id = "req", .tenant = tenant, .principal = std::move(principal)};
    }
    Call root() {
        auto call = Call::system("tenants", Deadline::never());
        auto principal = std::make_shared<Principal>(*call.principal);
        principal->credential_id = "root (uid 0)";
        call.principal = std::move(principal);
        return call;
    }
    Tenant create(const UserId& owner, std::string name) {
        clock.advance(1s);
        return tenants.create(call_of(owner, {}), {{std::move(name)}, {}}).value();
    }
    UserId add(const Tenant& tenant, Role role) {
        const auto user = new_user();
        tenants.add_member(call_of(ada, tenant.id), {tenant.id, user, role}).value();
        return user;
    }
    EffectiveLimit limit_of(const Tenant& tenant, LimitName name) {
        const auto plan = standings.get_plan(call_of(ada, tenant.id), tenant.id).value();
        return plan.limits.at(static_cast<std::size_t>(name));
    }
    // The types of what was told since the tenant was made.
    std::vector<std::string> news() {
        std::vector<std::string> types;
        for (const auto& message : testing::posted_messages(database))
            if (!message.type.starts_with("member.") && message.type != "tenant.created")
                types.push_back(message.type);
        return types;
    }
    TenantState state_of(const Tenant& tenant) {
        return standings.get_standing(root(), tenant.id).value().state;
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{
        clock, {{"outbox", outbox::kMigrations}, {"tenant-service", kMigrations}}};
    TenantService tenants{*database, clock, random, PlanName::free};
    Standings& standings = tenants.standings();
    std::vector<TenantId> told;
    UserId ada = new_user();
};

using PlanStory = StandingsTest;
using OverrideStory = StandingsTest;
using SuspensionStory = StandingsTest;
using DeletionStory = StandingsTest;

TEST_F(PlanStory, a_new_tenant_gets_the_newest_version_of_the_default_plan) {
    const auto acme = create(ada, "Acme");
    EXPECT_EQ(acme.plan, PlanName::free);
    const auto plan = standings.get_plan(call_of(ada, acme.id), acme.id).value();
    EXPECT_EQ(plan.plan_version, newest_plan(PlanName::free).version);
    EXPECT_EQ(plan.state, TenantState::active);
    EXPECT_EQ(limit_of(acme, LimitName::vms).value, 10);
    EXPECT_EQ(limit_of(acme, LimitName::vms).used, std::nullopt) << "vm-registry counts those";
    EXPECT_EQ(limit_of(acme, LimitName::members).used, 1);
    EXPECT_EQ(
        tenants.get_membership(root(), ada, acme.slug).value().standing.requests_per_minute, 300
    );
}

TEST_F(PlanStory, another_plan_counts_at_once_and_is_told_with_the_reason) {
    const auto acme = create(ada, "Acme");
    const auto changed =
        standings.set_plan(root(), acme.id, {PlanName::pro, {}, "paid by invoice 7"}).value();
    EXPECT_EQ(changed.plan, PlanName::pro);
    EXPECT_EQ(limit_of(acme, LimitName::vms).value, 100);
    EXPECT_EQ(standings.get_standing(root(), acme.id).value().requests_per_minute, 1'200);
    EXPECT_THAT(told, ElementsAre(acme.id));
    const auto message = testing::posted_messages(database).back();
    EXPECT_EQ(message.type, "tenant.plan_changed");
    EXPECT_EQ(message.tenant_id, acme.id.text());
    EXPECT_THAT(message.data, AllOf(HasSubstr(R"("from":"free")"), HasSubstr("paid by invoice 7")));
}

TEST_F(PlanStory, the_plan_that_it_has_already_is_no_news) {
    const auto acme = create(ada, "Acme");
    EXPECT_TRUE(standings.set_plan(root(), acme.id, {PlanName::free, {}, "again"}));
    EXPECT_THAT(news(), IsEmpty());
}

TEST_F(PlanStory, what_is_no_plan_no_reason_or_no_tenant_is_refused) {
    const auto acme = create(ada, "Acme");
    const auto code = [&](const PlanWish& wish, const TenantId& tenant) {
        return code_of(standings.set_plan(root(), tenant, wish));
    };
    EXPECT_EQ(code({PlanName::pro, 99, "why"}, acme.id), "tenants.plan_unknown");
    EXPECT_EQ(code({PlanName::pro, {}, ""}, acme.id), "tenants.reason_invalid");
    EXPECT_EQ(code({PlanName::pro, {}, "two\nlines"}, acme.id), "tenants.reason_invalid");
    EXPECT_EQ(code({PlanName::pro, {}, std::string(201, 'x')}, acme.id), "tenants.reason_invalid");
    EXPECT_EQ(code({PlanName::pro, {}, std::string(200, 'x')}, acme.id), "");
    const auto nobody = TenantId::make(clock.now(), random);
    EXPECT_EQ(code({PlanName::pro, {}, "why"}, nobody), "tenants.not_found");
}

TEST_F(PlanStory, another_tenants_plan_is_not_to_be_seen) {
    const auto acme = create(ada, "Acme");
    const auto other = create(new_user(), "Other");
    EXPECT_EQ(
        code_of(standings.get_plan(call_of(ada, acme.id), other.id)), "tenants.not_found"
    );
}

TEST_F(OverrideStory, an_override_goes_before_the_plan_until_it_expires_by_the_clock) {
    const auto acme = create(ada, "Acme");
    const auto until = clock.now() + 24h;
    standings.set_limit(root(), acme.id, {LimitName::requests_per_minute, 5'000, "launch", until})
        .value();
    const auto during = limit_of(acme, LimitName::requests_per_minute);
    EXPECT_EQ(during.value, 5'000);
    EXPECT_EQ(during.source, LimitSource::override_);
    EXPECT_EQ(during.reason, "launch");
    EXPECT_EQ(during.expires_at, until);
    EXPECT_EQ(standings.get_standing(root(), acme.id).value().requests_per_minute, 5'000);
    EXPECT_EQ(
        tenants.list_memberships(root(), ada).value().at(0).standing.requests_per_minute, 5'000
    );
    clock.advance(24h);
    const auto after = limit_of(acme, LimitName::requests_per_minute);
    EXPECT_EQ(after.value, 300);
    EXPECT_EQ(after.source, LimitSource::plan);
    EXPECT_EQ(after.reason, std::nullopt);
    EXPECT_EQ(standings.get_standing(root(), acme.id).value().requests_per_minute, 300);
}

TEST_F(OverrideStory, the_last_one_counts_and_clearing_it_brings_the_plans_limit_back) {
    const auto acme = create(ada, "Acme");
    standings.set_limit(root(), acme.id, {LimitName::vms, 20, "a"}).value();
    const auto set =
        standings.set_limit(root(), acme.id, {LimitName::vms, kUnlimited, "b"}).value();
    ASSERT_EQ(set.overrides.size(), 1U);
    EXPECT_EQ(set.overrides[0].value, kUnlimited);
    EXPECT_EQ(set.overrides[0].set_by, "root (uid 0)");
    EXPECT_EQ(standings.get_limits(root(), acme.id).value().value(LimitName::vms), kUnlimited);
    const auto cleared = standings.clear_limit(root(), acme.id, LimitName::vms, "c").value();
    EXPECT_THAT(cleared.overrides, IsEmpty());
    EXPECT_EQ(standings.get_limits(root(), acme.id).value().value(LimitName::vms), 10);
    EXPECT_TRUE(standings.clear_limit(root(), acme.id, LimitName::vms, "again"));
    EXPECT_THAT(
        news(), ElementsAre("tenant.limit_set", "tenant.limit_set", "tenant.limit_cleared")
    );
}

TEST_F(OverrideStory, what_no_limit_can_be_is_refused) {
    const auto acme = create(ada, "Acme");
    const auto code = [&](const LimitWish& wish) {
        return code_of(standings.set_limit(root(), acme.id, wish));
    };
    EXPECT_EQ(code({LimitName::vms, -1, "why"}), "tenants.limit_invalid");
    EXPECT_EQ(code({LimitName::vms, 1'000'000'000'001, "why"}), "tenants.limit_invalid");
    EXPECT_EQ(code({LimitName::requests_per_minute, 0, "why"}), "tenants.limit_invalid");
    EXPECT_EQ(code({LimitName::vms, 3, "why", clock.now()}), "tenants.limit_invalid");
    EXPECT_EQ(code({LimitName::vms, 3, " "}), "tenants.reason_invalid");
    EXPECT_EQ(code({LimitName::vms, 0, "none for now"}), "");
}

TEST_F(OverrideStory, members_are_added_up_to_the_limit_and_stay_when_it_is_lowered) {
    const auto acme = create(ada, "Acme");
    for (int i = 0; i < 4; ++i) add(acme, Role::viewer);
    const AddMember one_more{acme.id, new_user(), Role::viewer};
    const auto refused = tenants.add_member(call_of(ada, acme.id), one_more);
    EXPECT_EQ(code_of(refused), "tenants.member_limit_reached");
    EXPECT_THAT(refused.error().detail, AllOf(HasSubstr("5 members"), HasSubstr("plan free")));
    const auto until = clock.now() + 1h;
    standings.set_limit(root(), acme.id, {LimitName::members, 6, "grace", until}).value();
    EXPECT_TRUE(tenants.add_member(call_of(ada, acme.id), one_more));
    clock.advance(2h);
    EXPECT_EQ(limit_of(acme, LimitName::members).used, 6) << "one over the plan's limit";
    EXPECT_EQ(
        code_of(tenants.add_member(call_of(ada, acme.id), one_more)), "tenants.member_exists"
    );
}

TEST_F(SuspensionStory, a_suspended_tenant_says_why_until_it_is_resumed) {
    const auto acme = create(ada, "Acme");
    const auto suspended = standings.suspend(root(), acme.id, "unpaid invoices").value();
    EXPECT_EQ(suspended.state, TenantState::suspended);
    EXPECT_EQ(suspended.state_by, "root (uid 0)");
    EXPECT_EQ(suspended.state_since, clock.now());
    const auto standing = tenants.get_membership(root(), ada, acme.slug).value().standing;
    EXPECT_EQ(standing.state, TenantState::suspended);
    EXPECT_EQ(standing.reason, "unpaid invoices");
    EXPECT_EQ(standings.get_plan(call_of(ada, acme.id), acme.id).value().reason, "unpaid invoices");
    EXPECT_EQ(standings.resume(root(), acme.id, "paid").value().state, TenantState::active);
    EXPECT_EQ(standings.get_standing(root(), acme.id).value().reason, "");
    EXPECT_EQ(standings.get_plan(call_of(ada, acme.id), acme.id).value().reason, std::nullopt);
    EXPECT_THAT(news(), ElementsAre("tenant.suspended", "tenant.resumed"));
    EXPECT_THAT(told, ElementsAre(acme.id, acme.id));
}

TEST_F(SuspensionStory, the_same_again_is_no_news_but_another_reason_is) {
    const auto acme = create(ada, "Acme");
    standings.suspend(root(), acme.id, "a").value();
    standings.suspend(root(), acme.id, "a").value();
    standings.suspend(root(), acme.id, "b").value();
    EXPECT_EQ(standings.get_standing(root(), acme.id).value().reason, "b");
    standings.resume(root(), acme.id, "c").value();
    standings.resume(root(), acme.id, "d").value();
    EXPECT_THAT(news(), ElementsAre("tenant.suspended", "tenant.suspended", "tenant.resumed"));
}

TEST_F(SuspensionStory, is_not_got_round_by_deleting_restoring_or_making_another_tenant) {
    const auto acme = create(ada, "Acme");
    standings.suspend(root(), acme.id, "abuse").value();
    const auto call = call_of(ada, acme.id);
    EXPECT_EQ(
        code_of(standings.request_deletion(call, {acme.id, {acme.slug}})), "tenants.suspended"
    );
    EXPECT_EQ(code_of(standings.restore(call, acme.id)), "tenants.suspended");
    EXPECT_EQ(code_of(tenants.create(call, {{"Another"}, {}})), "tenants.suspended");
    EXPECT_EQ(state_of(acme), TenantState::suspended);
}

TEST_F(DeletionStory, an_owner_has_it_deleted_in_thirty_days_and_may_take_that_back) {
    const auto acme = create(ada, "Acme");
    const auto call = call_of(ada, acme.id);
    const auto day = clock.now() + kDeletionGrace;
    const auto asked = standings.request_deletion(call, {acme.id, {acme.slug}}).value();
    EXPECT_EQ(asked.state, TenantState::pending_deletion);
    EXPECT_EQ(asked.delete_after, day);
    EXPECT_EQ(standings.get_standing(root(), acme.id).value().until, day);
    clock.advance(24h);
    EXPECT_EQ(standings.request_deletion(call, {acme.id, {acme.slug}}).value().delete_after, day)
        << "asking again does not move it";
    const auto restored = standings.restore(call, acme.id).value();
    EXPECT_EQ(restored.state, TenantState::active);
    EXPECT_EQ(restored.delete_after, std::nullopt);
    EXPECT_EQ(standings.restore(call, acme.id).value().state, TenantState::active);
    EXPECT_THAT(news(), ElementsAre("tenant.deletion_requested", "tenant.restored"));
    EXPECT_EQ(standings.find(root(), acme.slug).value().state_by, ada.text());
}

TEST_F(DeletionStory, needs_an_owner_and_the_slug) {
    const auto acme = create(ada, "Acme");
    const auto admin = add(acme, Role::admin);
    EXPECT_EQ(
        code_of(standings.request_deletion(call_of(admin, acme.id), {acme.id, {acme.slug}})),
        "tenants.owner_required"
    );
    const auto wrong = standings.request_deletion(call_of(ada, acme.id), {acme.id, {"other"}});
    EXPECT_EQ(code_of(wrong), "tenants.confirmation_wrong");
    ASSERT_EQ(wrong.error().errors.size(), 1U);
    EXPECT_THAT(wrong.error().errors[0].detail, HasSubstr("\"acme\""));
    const auto stranger = new_user();
    EXPECT_EQ(
        code_of(standings.request_deletion(call_of(stranger, acme.id), {acme.id, {acme.slug}})),
        "tenants.not_found"
    );
    EXPECT_EQ(state_of(acme), TenantState::active);
    EXPECT_THAT(told, IsEmpty());
}

TEST_F(DeletionStory, whoever_runs_the_server_may_hold_it_or_take_it_back) {
    const auto acme = create(ada, "Acme");
    const auto call = call_of(ada, acme.id);
    standings.request_deletion(call, {acme.id, {acme.slug}}).value();
    const auto held = standings.suspend(root(), acme.id, "evidence").value();
    EXPECT_EQ(held.state, TenantState::suspended);
    EXPECT_EQ(held.delete_after, std::nullopt);
    standings.resume(root(), acme.id, "done").value();
    standings.request_deletion(call, {acme.id, {acme.slug}}).value();
    const auto resumed = standings.resume(root(), acme.id, "asked by phone").value();
    EXPECT_EQ(resumed.state, TenantState::active);
    EXPECT_THAT(
        news(), ElementsAre(
                    "tenant.deletion_requested", "tenant.suspended", "tenant.resumed",
                    "tenant.deletion_requested", "tenant.restored"
                )
    );
}

TEST_F(DeletionStory, who_waits_for_a_tenants_end_may_make_another) {
    const auto acme = create(ada, "Acme");
    standings.request_deletion(call_of(ada, acme.id), {acme.id, {acme.slug}}).value();
    EXPECT_TRUE(tenants.create(call_of(ada, acme.id), {{"Next"}, {}}));
}

TEST_F(StandingsTest, all_tenants_are_listed_by_slug_in_pages) {
    create(ada, "Beta");
    create(new_user(), "Alpha");
    add(create(ada, "Gamma"), Role::viewer);
    const auto first = standings.list(root(), "", 2).value();
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[0].slug, "alpha");
    EXPECT_EQ(first[1].slug, "beta");
    const auto rest = standings.list(root(), "beta", 2).value();
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].members, 2);
    EXPECT_EQ(code_of(standings.find(root(), "delta")), "tenants.not_found");
    EXPECT_EQ(code_of(standings.find(root(), "No Slug")), "tenants.not_found");
}

TEST_F(StandingsTest, what_another_process_says_is_told_here_and_nonsense_is_not) {
    const auto acme = create(ada, "Acme");
    standings.repeat_changed(acme.id.text());
    standings.repeat_changed("nonsense");
    EXPECT_THAT(told, ElementsAre(acme.id));
}

TEST_F(StandingsTest, a_tenant_that_is_taken_back_takes_its_limits_along) {
    const auto acme = create(ada, "Acme");
    standings.set_limit(root(), acme.id, {LimitName::vms, 1, "x"}).value();
    EXPECT_TRUE(tenants.abandon_tenant(root(), acme.id, ada));
    EXPECT_EQ(code_of(standings.get_limits(root(), acme.id)), "tenants.not_found");
}

}  // namespace
}  // namespace synapsex::tenant
