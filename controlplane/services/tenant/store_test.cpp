#include "controlplane/services/tenant/store.hpp"

#include <gmock/gmock.h>

#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/services/tenant/migrations.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::tenant {
namespace {

using auth::Role;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TenantStoreTest : public ::testing::Test {
 protected:
    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{
        clock, {{"outbox", outbox::kMigrations}, {"tenant-service", kMigrations}}};

    template <class Fn>
    auto in_store(Fn fn) {
        return database.in_write([&](db::Session& session) {
            TenantStore store{session};
            return fn(store);
        });
    }
    // Each a second younger than the one before.
    template <class IdType>
    IdType next_id() {
        clock.advance(std::chrono::seconds{1});
        return IdType::make(clock.now(), random);
    }
    TenantRow tenant(std::string slug) {
        const auto id = next_id<TenantId>();
        return {id, slug, "Name of " + slug, clock.now(), clock.now()};
    }
    TenantRow stored_tenant(const std::string& slug) {
        const auto row = tenant(slug);
        EXPECT_TRUE(in_store([&](TenantStore& store) { return store.insert(row); }));
        return row;
    }
    UserId stored_member(const TenantId& in, Role role = Role::viewer) {
        const auto user = next_id<UserId>();
        in_store([&](TenantStore& store) {
            return store.insert_member(in, {user, role, clock.now()});
        });
        return user;
    }
};

TEST_F(TenantStoreTest, prepares_every_statement) {
    EXPECT_NO_THROW(database->prepare_all(TenantStore::queries()));
}

TEST_F(TenantStoreTest, insert_rejects_a_slug_or_id_that_is_taken) {
    const auto acme = stored_tenant("acme");
    auto same_id = tenant("other");
    same_id.tenant_id = acme.tenant_id;
    const auto same_slug = tenant("acme");
    EXPECT_FALSE(in_store([&](TenantStore& store) { return store.insert(same_slug); }));
    EXPECT_FALSE(in_store([&](TenantStore& store) { return store.insert(same_id); }));
    EXPECT_TRUE(in_store([&](TenantStore& store) { return store.exists(acme.tenant_id); }));
}

TEST_F(TenantStoreTest, insert_member_rejects_who_is_one) {
    const auto acme = stored_tenant("acme");
    const auto user = stored_member(acme.tenant_id, Role::admin);
    EXPECT_FALSE(in_store([&](TenantStore& store) {
        return store.insert_member(acme.tenant_id, {user, Role::viewer, clock.now()});
    }));
    const auto member = in_store([&](TenantStore& store) {
        return store.find_member(acme.tenant_id, user);
    });
    ASSERT_TRUE(member);
    EXPECT_EQ(member->role, Role::admin);
}

TEST_F(TenantStoreTest, a_role_is_stored_by_its_name_on_the_wire) {
    const auto acme = stored_tenant("acme");
    const auto user = stored_member(acme.tenant_id, Role::viewer);
    in_store([&](TenantStore& store) { store.set_role(acme.tenant_id, user, Role::operator_); });
    const auto member = in_store([&](TenantStore& store) {
        return store.find_member(acme.tenant_id, user);
    });
    EXPECT_EQ(member->role, Role::operator_);
}

TEST_F(TenantStoreTest, finds_a_membership_by_id_and_by_slug_of_its_own_user_only) {
    const auto acme = stored_tenant("acme");
    const auto user = stored_member(acme.tenant_id, Role::operator_);
    const auto stranger = next_id<UserId>();
    for (const auto& name : {acme.tenant_id.text(), acme.slug}) {
        const auto found = in_store([&](TenantStore& store) {
            return store.find_membership(user, name);
        });
        ASSERT_TRUE(found) << name;
        EXPECT_EQ(found->tenant_id, acme.tenant_id);
        EXPECT_EQ(found->name, "Name of acme");
        EXPECT_EQ(found->role, Role::operator_);
        EXPECT_FALSE(in_store([&](TenantStore& store) {
            return store.find_membership(stranger, name);
        }));
    }
}

TEST_F(TenantStoreTest, lists_memberships_by_the_day_of_joining_and_tenants_by_id) {
    const auto first = stored_tenant("first");
    const auto second = stored_tenant("second");
    const auto user = stored_member(second.tenant_id);
    clock.advance(std::chrono::hours{1});
    in_store([&](TenantStore& store) {
        return store.insert_member(first.tenant_id, {user, Role::viewer, clock.now()});
    });
    const auto slugs_of = [](const std::vector<MembershipRow>& rows) {
        std::vector<std::string> slugs;
        for (const auto& row : rows) slugs.push_back(row.slug);
        return slugs;
    };
    in_store([&](TenantStore& store) {
        EXPECT_THAT(slugs_of(store.list_oldest(user, 10)), ElementsAre("second", "first"));
        EXPECT_THAT(slugs_of(store.list_tenants(user, "", 10)), ElementsAre("first", "second"));
        EXPECT_THAT(slugs_of(store.list_tenants(user, "", 1)), ElementsAre("first"));
        EXPECT_THAT(
            slugs_of(store.list_tenants(user, first.tenant_id.text(), 10)), ElementsAre("second")
        );
        EXPECT_EQ(store.count_memberships(user), 2);
    });
}

TEST_F(TenantStoreTest, lists_and_counts_the_members_of_one_tenant_only) {
    const auto acme = stored_tenant("acme");
    const auto other = stored_tenant("other");
    const auto owner = stored_member(acme.tenant_id, Role::owner);
    const auto viewer = stored_member(acme.tenant_id);
    stored_member(other.tenant_id, Role::owner);
    in_store([&](TenantStore& store) {
        const auto members = store.list_members(acme.tenant_id, "", 10);
        ASSERT_EQ(members.size(), 2U);
        EXPECT_EQ(members[0].user_id, owner);
        EXPECT_EQ(members[1].user_id, viewer);
        EXPECT_EQ(store.list_members(acme.tenant_id, owner.text(), 10).size(), 1U);
        EXPECT_EQ(store.count_members(acme.tenant_id), 2);
        EXPECT_EQ(store.count_owners(acme.tenant_id), 1);
    });
}

TEST_F(TenantStoreTest, rename_changes_the_name_and_the_day_of_change_of_one_tenant) {
    const auto acme = stored_tenant("acme");
    const auto other = stored_tenant("other");
    const auto user = stored_member(acme.tenant_id);
    clock.advance(std::chrono::hours{1});
    in_store([&](TenantStore& store) {
        store.lock(acme.tenant_id);
        store.rename(acme.tenant_id, "New", clock.now());
        const auto renamed = store.find_membership(user, "acme");
        ASSERT_TRUE(renamed);
        EXPECT_EQ(renamed->name, "New");
        EXPECT_EQ(renamed->created_at, acme.created_at);
        EXPECT_EQ(renamed->updated_at, clock.now());
        EXPECT_TRUE(store.exists(other.tenant_id));
    });
}

TEST_F(TenantStoreTest, removes_a_member_and_a_whole_tenant) {
    const auto acme = stored_tenant("acme");
    const auto other = stored_tenant("other");
    const auto user = stored_member(acme.tenant_id);
    const auto guest = stored_member(other.tenant_id);
    in_store([&](TenantStore& store) {
        store.remove_member(acme.tenant_id, guest);
        store.remove_member(acme.tenant_id, user);
        EXPECT_THAT(store.list_members(acme.tenant_id, "", 10), IsEmpty());
        store.remove(acme.tenant_id);
        EXPECT_FALSE(store.exists(acme.tenant_id));
        EXPECT_TRUE(store.find_member(other.tenant_id, guest));
    });
}

}  // namespace
}  // namespace synapsex::tenant
