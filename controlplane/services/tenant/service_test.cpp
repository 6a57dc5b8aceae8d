#include "controlplane/services/tenant/service.hpp"

#include <thread>

#include <gmock/gmock.h>

#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/services/tenant/migrations.hpp"
#include "controlplane/services/tenant/store.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/posted_messages.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::tenant {
namespace {

using auth::Role;
using ::testing::ElementsAre;
using ::testing::StartsWith;

template <class T>
std::string code_of(const Result<T>& result) {
    return result ? "" : result.error().code;
}

class TenantServiceTest : public ::testing::Test {
 protected:
    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{
        clock, {{"outbox", outbox::kMigrations}, {"tenant-service", kMigrations}}};
    TenantService tenants{*database, clock, random};

    UserId new_user() {
        clock.advance(std::chrono::seconds{1});
        return UserId::make(clock.now(), random);
    }
    Call call_of(
        const UserId& user, const TenantId& tenant, PrincipalKind kind = PrincipalKind::user
    ) {
        auto principal = std::make_shared<Principal>();
        principal->kind = kind;
        principal->user = user;
        principal->tenant = tenant;
        return {.request_id = "req", .tenant = tenant, .principal = std::move(principal)};
    }
    Tenant create(const UserId& owner, std::string name) {
        clock.advance(std::chrono::seconds{1});
        return tenants.create(call_of(owner, {}), {{std::move(name)}, {}}).value();
    }
    // A member with the role, added by the owner.
    UserId add(const Tenant& tenant, const UserId& owner, Role role) {
        const auto user = new_user();
        const auto added = tenants.add_member(call_of(owner, tenant.id), {tenant.id, user, role});
        EXPECT_TRUE(added) << code_of(added);
        return user;
    }
};

using TenantNames = TenantServiceTest;
using TenantMembers = TenantServiceTest;
using TenantLists = TenantServiceTest;
using TenantDirectoryTest = TenantServiceTest;

TEST_F(TenantNames, who_makes_a_tenant_owns_it) {
    const auto ada = new_user();
    const auto acme = create(ada, "ACME Production");
    EXPECT_EQ(acme.slug, "acme-production");
    EXPECT_EQ(acme.role, Role::owner);
    EXPECT_EQ(acme.created_at, clock.now());
    const auto read = tenants.get(call_of(ada, acme.id), acme.id);
    ASSERT_TRUE(read) << code_of(read);
    EXPECT_EQ(read->name, "ACME Production");
    EXPECT_EQ(read->role, Role::owner);
}

TEST_F(TenantNames, a_slug_from_the_name_gets_a_suffix_when_it_is_taken) {
    const auto ada = new_user();
    const auto first = create(ada, "Acme");
    const auto second = create(ada, "Acme");
    EXPECT_EQ(first.slug, "acme");
    EXPECT_THAT(second.slug, StartsWith("acme-"));
    EXPECT_EQ(second.slug.size(), 9U);
}

TEST_F(TenantNames, a_chosen_slug_is_refused_when_it_is_taken_or_is_none) {
    const auto call = call_of(new_user(), {});
    EXPECT_TRUE(tenants.create(call, {{"One"}, Slug{"acme"}}));
    EXPECT_EQ(code_of(tenants.create(call, {{"Two"}, Slug{"acme"}})), "tenants.slug_taken");
    for (const auto* bad : {"Acme", "a--b", "-a", "a-", "a_b"})
        EXPECT_EQ(code_of(tenants.create(call, {{"X"}, Slug{bad}})), "tenants.slug_invalid") << bad;
}

TEST_F(TenantNames, an_api_key_makes_no_tenant) {
    // The gateway refuses it.
    EXPECT_TRUE(kCreateTenant.access.is_closed_to_keys);
}

TEST_F(TenantNames, a_tenant_is_renamed_and_keeps_its_slug) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto call = call_of(ada, acme.id);
    clock.advance(std::chrono::hours{1});
    const auto renamed = tenants.update(call, {acme.id, TenantName{"Emca"}});
    ASSERT_TRUE(renamed) << code_of(renamed);
    EXPECT_EQ(renamed->name, "Emca");
    EXPECT_EQ(renamed->slug, "acme");
    EXPECT_EQ(renamed->updated_at, clock.now());
    clock.advance(std::chrono::hours{1});
    EXPECT_EQ(tenants.update(call, {acme.id, {}})->updated_at, renamed->updated_at);
}

TEST_F(TenantNames, a_tenant_that_the_call_does_not_act_in_is_not_found) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto other = create(ada, "Other");
    const auto call = call_of(ada, acme.id);
    EXPECT_EQ(code_of(tenants.get(call, other.id)), "tenants.not_found");
    EXPECT_EQ(code_of(tenants.update(call, {other.id, TenantName{"X"}})), "tenants.not_found");
    EXPECT_EQ(code_of(tenants.list_members(call, {other.id, {}, {}})), "tenants.not_found");
    const auto user = new_user();
    EXPECT_EQ(
        code_of(tenants.add_member(call, {other.id, user, Role::viewer})), "tenants.not_found"
    );
    EXPECT_EQ(
        code_of(tenants.change_member(call, {other.id, ada, Role::viewer})), "tenants.not_found"
    );
    EXPECT_EQ(code_of(tenants.remove_member(call, {other.id, ada})), "tenants.not_found");
    EXPECT_EQ(tenants.get(call_of(ada, other.id), other.id)->name, "Other");
}

TEST_F(TenantMembers, are_added_changed_listed_and_removed) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto bob = add(acme, ada, Role::viewer);
    const auto call = call_of(ada, acme.id);
    EXPECT_EQ(tenants.change_member(call, {acme.id, bob, Role::admin})->role, Role::admin);
    const auto page = tenants.list_members(call, {acme.id, {}, {}});
    ASSERT_EQ(page->items.size(), 2U);
    EXPECT_EQ(page->items[0].user_id, ada);
    EXPECT_EQ(page->items[1].role, Role::admin);
    EXPECT_TRUE(tenants.remove_member(call, {acme.id, bob}));
    EXPECT_EQ(code_of(tenants.remove_member(call, {acme.id, bob})), "tenants.member_not_found");
    EXPECT_EQ(
        code_of(tenants.change_member(call, {acme.id, bob, Role::viewer})),
        "tenants.member_not_found"
    );
}

TEST_F(TenantMembers, adding_a_member_twice_is_refused_and_changes_nothing) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto refused =
        tenants.add_member(call_of(ada, acme.id), {acme.id, ada, Role::viewer});
    EXPECT_EQ(code_of(refused), "tenants.member_exists");
    EXPECT_EQ(tenants.get(call_of(ada, acme.id), acme.id)->role, Role::owner);
}

TEST_F(TenantMembers, the_last_owner_is_neither_removed_nor_demoted) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto call = call_of(ada, acme.id);
    EXPECT_EQ(code_of(tenants.remove_member(call, {acme.id, ada})), "tenants.last_owner");
    EXPECT_EQ(
        code_of(tenants.change_member(call, {acme.id, ada, Role::admin})), "tenants.last_owner"
    );
    const auto bob = add(acme, ada, Role::owner);
    EXPECT_TRUE(tenants.change_member(call, {acme.id, ada, Role::viewer}));
    const auto bobs = call_of(bob, acme.id);
    EXPECT_EQ(code_of(tenants.remove_member(bobs, {acme.id, bob})), "tenants.last_owner");
}

TEST_F(TenantMembers, of_two_owners_who_demote_each_other_at_once_one_stays) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto bob = add(acme, ada, Role::owner);
    for (int round = 0; round < 10; ++round) {
        std::thread first{[&] {
            tenants.change_member(call_of(ada, acme.id), {acme.id, bob, Role::admin});
        }};
        std::thread second{[&] {
            tenants.change_member(call_of(bob, acme.id), {acme.id, ada, Role::admin});
        }};
        first.join();
        second.join();
        std::vector<UserId> owners;
        for (const auto& user : {ada, bob}) {
            const auto seen = tenants.get(call_of(user, acme.id), acme.id).value();
            if (seen.role == Role::owner) owners.push_back(user);
        }
        ASSERT_EQ(owners.size(), 1U);
        const auto other = owners.front() == ada ? bob : ada;
        tenants.change_member(call_of(owners.front(), acme.id), {acme.id, other, Role::owner})
            .value();
    }
}

TEST_F(TenantMembers, an_admin_neither_makes_nor_changes_nor_removes_an_owner) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto second_owner = add(acme, ada, Role::owner);
    const auto admin = add(acme, ada, Role::admin);
    const auto viewer = add(acme, ada, Role::viewer);
    const auto call = call_of(admin, acme.id);
    const auto expect_refused = [&](const auto& result) {
        EXPECT_EQ(code_of(result), "tenants.owner_required");
        EXPECT_EQ(result.error().kind, Kind::forbidden);
    };
    expect_refused(tenants.add_member(call, {acme.id, new_user(), Role::owner}));
    expect_refused(tenants.change_member(call, {acme.id, viewer, Role::owner}));
    expect_refused(tenants.change_member(call, {acme.id, admin, Role::owner}));
    expect_refused(tenants.change_member(call, {acme.id, second_owner, Role::viewer}));
    expect_refused(tenants.remove_member(call, {acme.id, second_owner}));
    EXPECT_TRUE(tenants.change_member(call, {acme.id, viewer, Role::operator_}));
    EXPECT_TRUE(tenants.remove_member(call, {acme.id, viewer}));
}

TEST_F(TenantMembers, who_was_demoted_a_moment_ago_changes_no_members) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto admin = add(acme, ada, Role::admin);
    const auto as_admin = call_of(admin, acme.id);
    tenants.change_member(call_of(ada, acme.id), {acme.id, admin, Role::viewer}).value();
    const auto wish = AddMember{acme.id, new_user(), Role::viewer};
    EXPECT_EQ(code_of(tenants.add_member(as_admin, wish)), "tenants.role_required");
    tenants.remove_member(call_of(ada, acme.id), {acme.id, admin}).value();
    EXPECT_EQ(code_of(tenants.add_member(as_admin, wish)), "tenants.not_found");
}

TEST_F(TenantMembers, who_changed_is_told_once_it_is_so) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto bob = add(acme, ada, Role::operator_);
    const auto role_of_bob = [&]() -> std::optional<Role> {
        const auto call = Call::system("test", Deadline::never());
        const auto found = tenants.get_membership(call, bob, acme.id.text());
        return found ? std::optional{found->role} : std::nullopt;
    };
    std::vector<std::optional<Role>> told;
    tenants.on_member_changed([&](const TenantId& tenant, const UserId& user) {
        EXPECT_EQ(tenant, acme.id);
        EXPECT_EQ(user, bob);
        told.push_back(role_of_bob());
    });
    const auto call = call_of(ada, acme.id);
    EXPECT_TRUE(tenants.change_member(call, {acme.id, bob, Role::viewer}));
    EXPECT_FALSE(tenants.remove_member(call, {acme.id, new_user()}));
    EXPECT_TRUE(tenants.remove_member(call, {acme.id, bob}));
    EXPECT_THAT(told, ElementsAre(std::optional{Role::viewer}, std::nullopt));
}

TEST_F(TenantMembers, who_comes_back_joined_anew) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto bob = add(acme, ada, Role::viewer);
    const auto joined_at = [&](const UserId& user) {
        const auto call = Call::system("test", Deadline::never());
        return tenants.get_membership(call, user, "acme")->joined_at;
    };
    EXPECT_EQ(joined_at(ada), acme.created_at);
    const auto first = joined_at(bob);
    const auto call = call_of(ada, acme.id);
    EXPECT_TRUE(tenants.remove_member(call, {acme.id, bob}));
    clock.advance(std::chrono::seconds{1});
    EXPECT_TRUE(tenants.add_member(call, {acme.id, bob, Role::viewer}));
    EXPECT_EQ(joined_at(bob), clock.now());
    EXPECT_GT(joined_at(bob), first);
}

TEST_F(TenantMembers, are_at_most_a_thousand) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    database.in_write([&](db::Session& session) {
        for (std::int64_t i = 2; i < kMembersMax; ++i) {
            const auto user = UserId::make(clock.now(), random);
            TenantStore{session}.insert_member(acme.id, {user, Role::viewer, clock.now()});
        }
    });
    add(acme, ada, Role::viewer);
    const auto refused =
        tenants.add_member(call_of(ada, acme.id), {acme.id, new_user(), Role::viewer});
    EXPECT_EQ(code_of(refused), "tenants.limit_reached");
    EXPECT_EQ(refused.error().kind, Kind::conflict);
}

TEST_F(TenantLists, a_user_belongs_to_at_most_a_thousand_tenants) {
    const auto ada = new_user();
    database.in_write([&](db::Session& session) {
        TenantStore store{session};
        for (std::int64_t i = 1; i < kMembershipsMax; ++i) {
            const auto id = TenantId::make(clock.now(), random);
            store.insert({id, "t" + std::to_string(i), "T", clock.now(), clock.now()});
            store.insert_member(id, {ada, Role::viewer, clock.now()});
        }
    });
    create(ada, "The last one");
    EXPECT_EQ(
        code_of(tenants.create(call_of(ada, {}), {{"One more"}, {}})), "tenants.limit_reached"
    );
    const auto bob = new_user();
    const auto bobs = create(bob, "Bob's");
    EXPECT_EQ(
        code_of(tenants.add_member(call_of(bob, bobs.id), {bobs.id, ada, Role::viewer})),
        "tenants.limit_reached"
    );
}

TEST_F(TenantLists, pages_are_stable_while_tenants_come) {
    const auto ada = new_user();
    for (const auto* name : {"one", "two", "three"}) create(ada, name);
    const auto call = call_of(ada, {});
    ListTenants wish;
    wish.limit.value.value = 2;
    const auto first = tenants.list(call, wish);
    ASSERT_EQ(first->items.size(), 2U);
    EXPECT_EQ(first->items[0].slug, "one");
    ASSERT_TRUE(first->next_cursor);
    create(ada, "four");
    wish.cursor = api::Cursor{*first->next_cursor};
    const auto second = tenants.list(call, wish);
    ASSERT_EQ(second->items.size(), 2U);
    EXPECT_EQ(second->items[0].slug, "three");
    EXPECT_EQ(second->items[1].slug, "four");
    EXPECT_FALSE(second->next_cursor);
}

TEST_F(TenantLists, an_api_key_sees_its_own_tenant_only) {
    const auto ada = new_user();
    create(ada, "one");
    const auto two = create(ada, "two");
    const auto page = tenants.list(call_of(ada, two.id, PrincipalKind::api_key), {});
    ASSERT_EQ(page->items.size(), 1U);
    EXPECT_EQ(page->items[0].slug, "two");
}

TEST_F(TenantLists, a_cursor_that_no_list_has_given_is_refused) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto call = call_of(ada, acme.id);
    const auto not_utf8 = api::encode_cursor("\xff");
    for (const auto& bad : {std::string{"!"}, api::encode_cursor("x"), not_utf8}) {
        EXPECT_EQ(code_of(tenants.list(call, {{}, api::Cursor{bad}})), "request.cursor_invalid");
        EXPECT_EQ(
            code_of(tenants.list_members(call, {acme.id, {}, api::Cursor{bad}})),
            "request.cursor_invalid"
        );
    }
}

TEST_F(TenantDirectoryTest, creating_the_same_tenant_again_changes_nothing) {
    const auto ada = new_user();
    const auto id = TenantId::derived_from(ada);
    const auto call = Call::system("test", Deadline::never());
    EXPECT_TRUE(tenants.create_tenant(call, id, "", "Ada", ada));
    EXPECT_TRUE(tenants.create_tenant(call, id, "other", "Other", ada));
    const auto memberships = tenants.list_memberships(call, ada);
    ASSERT_EQ(memberships->size(), 1U);
    EXPECT_EQ(memberships->front().slug, "ada");
    EXPECT_EQ(memberships->front().role, Role::owner);
}

TEST_F(TenantDirectoryTest, a_slug_that_is_taken_or_none_is_refused) {
    const auto ada = new_user();
    create(ada, "Acme");
    const auto call = Call::system("test", Deadline::never());
    const auto id = TenantId::make(clock.now(), random);
    EXPECT_EQ(code_of(tenants.create_tenant(call, id, "acme", "A", ada)), "tenants.slug_taken");
    EXPECT_EQ(code_of(tenants.create_tenant(call, id, "A!", "A", ada)), "tenants.slug_invalid");
}

TEST_F(TenantDirectoryTest, an_abandoned_tenant_is_gone_unless_somebody_else_is_in_it) {
    const auto ada = new_user();
    const auto alone = create(ada, "Alone");
    const auto shared = create(ada, "Shared");
    add(shared, ada, Role::viewer);
    const auto call = Call::system("test", Deadline::never());
    EXPECT_TRUE(tenants.abandon_tenant(call, alone.id, new_user()));
    EXPECT_EQ(tenants.list_memberships(call, ada)->size(), 2U);
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(tenants.abandon_tenant(call, alone.id, ada));
        EXPECT_TRUE(tenants.abandon_tenant(call, shared.id, ada));
    }
    const auto left = tenants.list_memberships(call, ada);
    ASSERT_EQ(left->size(), 1U);
    EXPECT_EQ(left->front().slug, "shared");
}

TEST_F(TenantDirectoryTest, an_abandoned_user_leaves_every_tenant_and_takes_none_along) {
    const auto ada = new_user();
    const auto eve = new_user();
    const auto own = create(ada, "Own");
    const auto shared = create(eve, "Shared");
    const auto call = Call::system("test", Deadline::never());
    EXPECT_TRUE(tenants.make_owner(call.of_tenant(shared.id), ada));
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(tenants.abandon_memberships(call, ada));
        EXPECT_TRUE(tenants.list_memberships(call, ada)->empty());
    }
    EXPECT_TRUE(tenants.make_owner(call.of_tenant(own.id), eve)) << "the tenant is there";
    EXPECT_EQ(tenants.list_memberships(call, eve)->size(), 2U);
    auto told = testing::posted_messages(database);
    std::erase_if(told, [](const auto& each) { return each.type != "member.removed"; });
    ASSERT_EQ(told.size(), 2U);
    for (const auto& message : told) EXPECT_EQ(message.subject, ada.text());
    EXPECT_NE(told[0].tenant_id, told[1].tenant_id);
}

TEST_F(TenantDirectoryTest, a_membership_is_found_by_id_and_slug_and_by_nothing_else) {
    const auto ada = new_user();
    const auto acme = create(ada, "Acme");
    const auto call = Call::system("test", Deadline::never());
    EXPECT_EQ(tenants.get_membership(call, ada, acme.id.text())->role, Role::owner);
    EXPECT_EQ(tenants.get_membership(call, ada, "acme")->tenant_id, acme.id);
    for (const auto* bad : {"", "other", "ACME", "\xff\xfe", "ten_"})
        EXPECT_EQ(code_of(tenants.get_membership(call, ada, bad)), "tenants.not_found") << bad;
    EXPECT_EQ(code_of(tenants.get_membership(call, new_user(), "acme")), "tenants.not_found");
}

using Recovery = TenantServiceTest;

TEST_F(Recovery, makes_an_owner_of_whoever_it_is_and_tells_it_once) {
    const auto owner = new_user();
    const auto tenant = create(owner, "Acme");
    const auto call = Call::system("recover-owner", Deadline::never()).of_tenant(tenant.id);
    const auto viewer = add(tenant, owner, Role::viewer);
    const auto stranger = new_user();
    const auto told = testing::posted_messages(database).size();
    for (const auto& user : {owner, viewer, stranger, viewer, stranger}) {
        ASSERT_TRUE(tenants.make_owner(call, user));
        EXPECT_EQ(tenants.get_membership(call, user, "acme")->role, Role::owner);
    }
    const auto messages = testing::posted_messages(database);
    ASSERT_EQ(messages.size(), told + 2);
    EXPECT_EQ(messages[told].type, "member.updated");
    EXPECT_EQ(messages[told].subject, viewer.text());
    EXPECT_EQ(messages[told + 1].type, "member.added");
    EXPECT_EQ(messages[told + 1].subject, stranger.text());
    EXPECT_THAT(*tenants.list_owners(call, tenant.id, 10),
                ::testing::UnorderedElementsAre(owner, viewer, stranger));
}

TEST_F(Recovery, finds_tenants_by_slug_or_id_or_all_of_them) {
    const auto call = Call::system("recover-owner", Deadline::never());
    const auto slugs = [&](std::string_view wish, std::int64_t limit = 10) {
        std::vector<std::string> found;
        for (const auto& each : *tenants.find_tenants(call, wish, limit))
            found.push_back(each.slug);
        return found;
    };
    EXPECT_THAT(slugs(""), ::testing::IsEmpty());
    const auto acme = create(new_user(), "Acme");
    create(new_user(), "Zeta");
    EXPECT_THAT(slugs(""), ElementsAre("acme", "zeta"));
    EXPECT_THAT(slugs("", 1), ElementsAre("acme"));
    EXPECT_THAT(slugs("zeta"), ElementsAre("zeta"));
    EXPECT_THAT(slugs(acme.id.text()), ElementsAre("acme"));
    for (const auto* wrong : {"none", "Acme", "a b", "\xff"})
        EXPECT_THAT(slugs(wrong), ::testing::IsEmpty()) << wrong;
}

}  // namespace
}  // namespace synapsex::tenant
