#include "controlplane/services/auth/registration.hpp"

#include "controlplane/services/auth/auth_fixture.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RegistrationTest : public AuthFixture {
 protected:
    static Registrant ada() { return {"Ada@Example.com", kPassword, "Ada", "Ada's"}; }

    std::optional<UserRow> stored(const std::string& email = "ada@example.com") {
        return in_store([&](AuthStore& store) { return store.find_user(email); });
    }
    // The user is reserved, the tenant is not made.
    void break_off() {
        tenants.fails_next = true;
        EXPECT_EQ(code_of(registration.register_user(nobody(), ada())), "database.busy");
    }
    // The state that a process which died within a sweep leaves behind.
    void sweep_halfway() {
        in_store([&](AuthStore& store) {
            return store.abandon_registrations(clock.now() + 1us, clock.now(), 10);
        });
    }
};

TEST_F(RegistrationTest, makes_a_user_and_a_tenant_of_the_same_ulid) {
    const auto user = registration.register_user(nobody(), ada());
    ASSERT_TRUE(user) << code_of(user);
    EXPECT_EQ(user->state, UserState::active);
    EXPECT_EQ(user->email, "ada@example.com");
    EXPECT_EQ(stored()->state, UserState::active);
    ASSERT_THAT(tenants.places, SizeIs(1));
    EXPECT_EQ(tenants.places[0].user, user->user_id);
    EXPECT_EQ(tenants.places[0].membership.name, "Ada's");
    EXPECT_EQ(tenants.places[0].membership.tenant_id, TenantId::derived_from(user->user_id));
}

TEST_F(RegistrationTest, of_a_taken_email_is_refused_in_whatever_case) {
    registration.register_user(nobody(), ada()).value();
    auto again = ada();
    again.email = "ADA@EXAMPLE.COM";
    const auto refused = registration.register_user(nobody(), again);
    EXPECT_EQ(code_of(refused), "auth.email_taken");
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    EXPECT_THAT(tenants.places, SizeIs(1));
}

TEST_F(RegistrationTest, of_what_is_no_email_is_refused_with_a_pointer) {
    auto wish = ada();
    wish.email = "nobody";
    const auto refused = registration.register_user(nobody(), wish);
    EXPECT_EQ(code_of(refused), "auth.email_invalid");
    ASSERT_THAT(refused.error().errors, SizeIs(1));
    EXPECT_EQ(refused.error().errors[0].pointer, "/email");
}

TEST_F(RegistrationTest, that_broke_off_is_taken_up_with_the_same_ids_and_the_new_password) {
    break_off();
    const auto before = stored();
    ASSERT_TRUE(before);
    EXPECT_EQ(before->state, UserState::registering);
    auto again = ada();
    again.password = "another good password";
    const auto user = registration.register_user(nobody(), again);
    ASSERT_TRUE(user) << code_of(user);
    EXPECT_EQ(user->user_id, before->user_id);
    EXPECT_TRUE(crypto::verify_password("another good password", stored()->password_hash));
    EXPECT_THAT(tenants.places, SizeIs(1));
}

TEST_F(RegistrationTest, that_nobody_takes_up_is_swept_with_its_tenant_after_a_day) {
    break_off();
    const auto user = stored()->user_id;
    tenants.join(user, {TenantId::derived_from(user), "adas", "Ada's", Role::owner});
    clock.advance(24h);
    EXPECT_TRUE(registration.sweep(nobody()));
    EXPECT_TRUE(stored()) << "not yet a day over";
    clock.advance(1us);
    EXPECT_TRUE(registration.sweep(nobody()));
    EXPECT_FALSE(stored());
    EXPECT_THAT(tenants.places, IsEmpty());
}

TEST_F(RegistrationTest, that_is_complete_is_never_swept) {
    registration.register_user(nobody(), ada()).value();
    clock.advance(1000h);
    EXPECT_TRUE(registration.sweep(nobody()));
    EXPECT_EQ(stored()->state, UserState::active);
    EXPECT_THAT(tenants.places, SizeIs(1));
}

TEST_F(RegistrationTest, starts_anew_after_a_sweep_that_was_cut_off) {
    break_off();
    const auto before = stored()->user_id;
    sweep_halfway();
    EXPECT_EQ(stored()->state, UserState::abandoned);
    clock.advance(1s);
    const auto user = registration.register_user(nobody(), ada());
    ASSERT_TRUE(user) << code_of(user);
    EXPECT_NE(user->user_id, before);
    EXPECT_EQ(stored()->state, UserState::active);
}

TEST_F(RegistrationTest, a_sweep_that_was_cut_off_is_finished_by_a_later_one) {
    break_off();
    sweep_halfway();
    clock.advance(25h);
    EXPECT_TRUE(registration.sweep(nobody()));
    EXPECT_FALSE(stored());
}

TEST_F(RegistrationTest, sweeps_at_most_twenty_at_a_time) {
    in_store([&](AuthStore& store) {
        for (int i = 0; i < 25; ++i) {
            const auto id = UserId::make(clock.now(), random);
            store.insert_user(
                {id, std::to_string(i) + "@b.c", "hash", "", UserState::registering, clock.now()}
            );
        }
    });
    clock.advance(25h);
    EXPECT_TRUE(registration.sweep(nobody()));
    const auto left = in_store([&](AuthStore& store) {
        int count = 0;
        for (int i = 0; i < 25; ++i)
            if (store.find_user(std::to_string(i) + "@b.c")) ++count;
        return count;
    });
    EXPECT_EQ(left, 5);
}

}  // namespace
}  // namespace synapsex::auth
