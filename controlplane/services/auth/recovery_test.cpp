#include "controlplane/services/auth/recovery.hpp"

#include <stdexcept>
#include <thread>

#include "controlplane/services/auth/auth_fixture.hpp"
#include "tests/support/breakable_database.hpp"
#include "tests/support/posted_messages.hpp"

namespace synapsex::auth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Tenants by name, and owners of them in FakeTenants.
class FakeRecovery final : public tenant::TenantRecovery {
 public:
    explicit FakeRecovery(FakeTenants& tenants) : tenants_(tenants) {}

    Result<std::vector<tenant::NamedTenant>> find_tenants(
        const Call&, std::string_view id_or_slug, std::int64_t limit
    ) override {
        std::vector<tenant::NamedTenant> found;
        for (const auto& name : names) {
            const bool is_it = name.slug == id_or_slug || name.tenant_id.text() == id_or_slug;
            if (id_or_slug.empty() || is_it) found.push_back(name);
        }
        if (found.size() > static_cast<std::size_t>(limit))
            found.resize(static_cast<std::size_t>(limit));
        return found;
    }
    Result<std::vector<UserId>> list_owners(
        const Call&, const TenantId& tenant, std::int64_t
    ) override {
        std::vector<UserId> owners;
        for (const auto& [user, membership] : tenants_.places)
            if (membership.tenant_id == tenant && membership.role == Role::owner)
                owners.push_back(user);
        return owners;
    }
    Result<Done> make_owner(const Call& call, const UserId& user) override {
        if (fails_next) {
            fails_next = false;
            return Problem{Kind::unavailable, "database.busy", "Busy."};
        }
        tenants_.leave(user, call.tenant);
        tenants_.join(user, {call.tenant, "slug", "Name", Role::owner});
        if (once_made) std::exchange(once_made, nullptr)();
        return Done{};
    }

    std::vector<tenant::NamedTenant> names;
    bool fails_next = false;
    std::function<void()> once_made;

 private:
    FakeTenants& tenants_;
};

class RecoveryTest : public AuthFixture {
 protected:
    RecoveryTest() {
        auto principal = std::make_shared<Principal>();
        principal->kind = PrincipalKind::system;
        principal->credential_id = "root (uid 0)";
        call_.principal = std::move(principal);
    }
    TokenPair registered_owner(const std::string& email) {
        auto pair = registered(email);
        const auto& membership = tenants.places.back().membership;
        recovery_tenants.names.push_back(
            {membership.tenant_id, membership.slug, membership.name}
        );
        return pair;
    }
    Result<Recovered> recover(const RecoveryWish& wish, const std::string& password = kNew) {
        SYNAPSEX_TRY(const auto plan, recovery.plan(call_, wish));
        return recovery.carry_out(call_, plan, password);
    }
    std::string sign_in(const std::string& email, const std::string& password) {
        return code_of(service.login(nobody(), {{email}, {password}}));
    }
    // The process dies when the user has become an owner, and has no password yet.
    void die_half_way(const RecoveryWish& wish) {
        recovery_tenants.once_made = [] { throw std::runtime_error("killed"); };
        EXPECT_THROW((void)recover(wish), std::runtime_error);
    }
    std::string sign_up(const std::string& email) {
        return code_of(service.register_user(nobody(), {{email}, {kPassword}, {}}));
    }
    std::size_t sessions_of(const UserId& user) {
        return in_store([&](AuthStore& store) { return store.end_sessions(user).size(); });
    }
    std::vector<outbox::Message> told() {
        auto messages = testing::posted_messages(database);
        std::erase_if(messages, [](const auto& each) { return each.type != "user.recovered"; });
        return messages;
    }

    static inline const std::string kNew = "a new and long password";
    Call call_{.request_id = "recover-owner", .tenant = {}, .principal = {}};
    FakeRecovery recovery_tenants{tenants};
    Recovery recovery{{*database, tenants, recovery_tenants, passwords, clock, random}};
};

TEST_F(RecoveryTest, gives_a_new_password_and_ends_the_sessions_of_that_user_alone) {
    const auto ada = registered_owner("ada@example.com");
    const auto eve = registered_owner("eve@example.com");
    ASSERT_EQ(sign_in("ada@example.com", kPassword), "");
    const auto recovered = recover({.email = "Ada@Example.com", .tenant = {}});
    ASSERT_TRUE(recovered) << recovered.error().detail;
    EXPECT_EQ(recovered->user_id, ada.user.id);
    EXPECT_EQ(recovered->sessions_ended, 2U);
    EXPECT_EQ(sign_in("ada@example.com", kPassword), "auth.login_failed");
    EXPECT_EQ(sign_in("ada@example.com", kNew), "");
    EXPECT_EQ(code_of(service.sessions().refresh(nobody(), {RefreshToken{ada.refresh_token}, {}})),
              "auth.refresh_invalid");
    EXPECT_EQ(sign_in("eve@example.com", kPassword), "");
    EXPECT_TRUE(service.sessions().refresh(nobody(), {RefreshToken{eve.refresh_token}, {}}));
}

TEST_F(RecoveryTest, tells_the_outbox_who_did_it_and_never_the_password) {
    const auto ada = registered_owner("ada@example.com");
    ASSERT_TRUE(recover({.email = "ada@example.com", .tenant = {}}));
    ASSERT_EQ(told().size(), 1U);
    const auto message = told().front();
    EXPECT_EQ(message.kind, outbox::MessageKind::change);
    EXPECT_EQ(message.tenant_id, ada.user.tenant_id.text());
    EXPECT_EQ(message.subject, ada.user.id.text());
    EXPECT_EQ(message.actor, R"x([{"type":"local_operator","id":"root (uid 0)"}])x");
    EXPECT_EQ(message.request_id, "recover-owner");
    EXPECT_EQ(message.data, R"({"created":false,"sessionsEnded":1})");
}

TEST_F(RecoveryTest, a_plan_changes_nothing_and_says_what_will) {
    const auto ada = registered_owner("ada@example.com");
    const auto plan = recovery.plan(call_, {.email = "ada@example.com", .tenant = {}});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->user_id, ada.user.id);
    EXPECT_EQ(plan->tenant.tenant_id, ada.user.tenant_id);
    EXPECT_EQ(plan->role, Role::owner);
    EXPECT_EQ(sign_in("ada@example.com", kPassword), "");
    EXPECT_TRUE(told().empty());
}

TEST_F(RecoveryTest, an_unknown_address_changes_nothing_and_names_the_owners) {
    registered_owner("ada@example.com");
    const auto wrong = recover({.email = "adda@example.com", .tenant = {}});
    EXPECT_EQ(code_of(wrong), "auth.user_not_found");
    EXPECT_THAT(wrong.error().detail,
                AllOf(HasSubstr("Owners of slug-0: ada@example.com."), HasSubstr("--create-user")));
    EXPECT_EQ(code_of(recover({.email = "no address", .tenant = {}})), "auth.email_invalid");
    EXPECT_EQ(sign_in("adda@example.com", kNew), "auth.login_failed");
}

TEST_F(RecoveryTest, makes_a_user_who_owns_the_tenant_where_that_is_wanted) {
    const auto ada = registered_owner("ada@example.com");
    const RecoveryWish wish{.email = "new@example.com", .tenant = {}, .may_make_user = true};
    const auto recovered = recover(wish);
    ASSERT_TRUE(recovered) << recovered.error().detail;
    const auto pair = service.login(nobody(), {{"new@example.com"}, {kNew}});
    ASSERT_TRUE(pair) << code_of(pair);
    EXPECT_EQ(pair->user.tenant_id, ada.user.tenant_id);
    EXPECT_EQ(tenants.places.back().membership.role, Role::owner);
    EXPECT_EQ(told().front().data, R"({"created":true,"sessionsEnded":0})");
    EXPECT_EQ(sign_in("ada@example.com", kPassword), "") << "others stay as they are";
}

TEST_F(RecoveryTest, what_failed_half_way_left_the_old_password_and_is_done_again) {
    registered_owner("ada@example.com");
    for (const std::string email : {"ada@example.com", "new@example.com"}) {
        const RecoveryWish wish{.email = email, .tenant = {}, .may_make_user = true};
        recovery_tenants.fails_next = true;
        EXPECT_EQ(code_of(recover(wish)), "database.busy");
        EXPECT_EQ(sign_in(email, kNew), "auth.login_failed");
        EXPECT_EQ(sign_in("ada@example.com", email == "ada@example.com" ? kPassword : kNew), "");
        EXPECT_TRUE(recover(wish));
        EXPECT_EQ(sign_in(email, kNew), "");
    }
    EXPECT_EQ(told().size(), 2U);
}

TEST_F(RecoveryTest, a_registration_that_nobody_ended_is_no_user_until_one_is_wanted) {
    registered_owner("ada@example.com");
    tenants.fails_next = true;
    EXPECT_FALSE(service.register_user(nobody(), {{"half@example.com"}, {kPassword}, {}}));
    RecoveryWish wish{.email = "half@example.com", .tenant = {}};
    EXPECT_EQ(code_of(recover(wish)), "auth.user_not_found");
    wish.may_make_user = true;
    EXPECT_TRUE(recover(wish));
    EXPECT_EQ(sign_in("half@example.com", kPassword), "auth.login_failed");
    EXPECT_EQ(sign_in("half@example.com", kNew), "");
}

TEST_F(RecoveryTest, one_that_a_sweep_is_taking_back_is_left_to_it) {
    registered_owner("ada@example.com");
    tenants.fails_next = true;
    EXPECT_FALSE(service.register_user(nobody(), {{"half@example.com"}, {kPassword}, {}}));
    const auto later = clock.now() + std::chrono::hours{25};
    in_store([&](AuthStore& store) { return store.abandon_registrations(later, later, 10); });
    const RecoveryWish wish{.email = "half@example.com", .tenant = {}, .may_make_user = true};
    EXPECT_EQ(code_of(recover(wish)), "auth.registration_unfinished");
}

TEST_F(RecoveryTest, one_that_nobody_ends_gives_the_tenant_to_nobody_and_is_swept_after_a_day) {
    registered_owner("ada@example.com");
    const RecoveryWish wish{.email = "new@example.com", .tenant = {}, .may_make_user = true};
    die_half_way(wish);
    ASSERT_EQ(tenants.places.size(), 2U);
    EXPECT_EQ(sign_up("new@example.com"), "auth.email_taken") << "or a stranger would own it";
    clock.advance(Registration::kAbandonedAfter);
    EXPECT_TRUE(registration.sweep(nobody()));
    EXPECT_EQ(tenants.places.size(), 2U) << "not yet a day over";
    clock.advance(std::chrono::microseconds{1});
    EXPECT_TRUE(registration.sweep(nobody()));
    ASSERT_EQ(tenants.places.size(), 1U);
    EXPECT_EQ(sign_up("new@example.com"), "");
    EXPECT_NE(tenants.places[0].membership.tenant_id, tenants.places[1].membership.tenant_id);
}

TEST_F(RecoveryTest, one_that_is_taken_up_is_out_of_a_sweeps_reach) {
    registered_owner("ada@example.com");
    const RecoveryWish wish{.email = "new@example.com", .tenant = {}, .may_make_user = true};
    die_half_way(wish);
    clock.advance(Registration::kAbandonedAfter + std::chrono::hours{1});
    recovery_tenants.once_made = [&] { EXPECT_TRUE(registration.sweep(nobody())); };
    EXPECT_TRUE(recover(wish));
    EXPECT_EQ(sign_in("new@example.com", kNew), "");
    EXPECT_EQ(tenants.places.size(), 2U);
}

TEST_F(RecoveryTest, a_sign_in_that_began_before_it_does_not_end_after_it) {
    const auto ada = registered_owner("ada@example.com");
    tenants.while_listing = [&] {
        EXPECT_TRUE(recover({.email = "ada@example.com", .tenant = {}}));
    };
    EXPECT_EQ(sign_in("ada@example.com", kPassword), "auth.login_failed");
    EXPECT_EQ(sessions_of(ada.user.id), 0U);
    tenants.while_listing = [&] {
        EXPECT_TRUE(recover({.email = "ada@example.com", .tenant = {}}));
    };
    EXPECT_EQ(sign_in("ada@example.com", kNew), "") << "the same password again";
    EXPECT_EQ(sessions_of(ada.user.id), 1U);
}

TEST_F(RecoveryTest, a_session_that_it_could_not_see_yet_is_not_kept) {
    if (!database.is_postgres()) GTEST_SKIP() << "SQLite has one writer";
    const auto ada = registered_owner("ada@example.com");
    testing::BreakableDatabase raced{*database};
    AuthService other{
        {raced, tenants, registration, passwords, tokens, cache, clock, random,
         database.metrics()},
        RegistrationMode::open
    };
    raced.before_commit = [&] {  // the session is inserted, by another connection
        std::thread{[&] {
            EXPECT_TRUE(recover({.email = "ada@example.com", .tenant = {}}));
        }}.join();
    };
    const auto signed_in = other.login(nobody(), {{"ada@example.com"}, {kPassword}});
    EXPECT_EQ(code_of(signed_in), "auth.login_failed");
    EXPECT_EQ(sessions_of(ada.user.id), 0U);
}

TEST_F(RecoveryTest, the_tenant_is_the_users_only_one_or_has_to_be_named) {
    const auto ada = registered_owner("ada@example.com");
    registered_owner("eve@example.com");
    const auto plan = recovery.plan(call_, {.email = "ada@example.com", .tenant = {}});
    ASSERT_TRUE(plan) << plan.error().detail;
    EXPECT_EQ(plan->tenant.tenant_id, ada.user.tenant_id) << "hers, of the two there are";

    const RecoveryWish stranger{.email = "new@example.com", .tenant = {}, .may_make_user = true};
    const auto ambiguous = recovery.plan(call_, stranger);
    EXPECT_EQ(code_of(ambiguous), "auth.tenant_ambiguous");
    EXPECT_THAT(ambiguous.error().detail, HasSubstr("--tenant: slug-0, slug-1."));

    tenants.join(ada.user.id, {recovery_tenants.names[1].tenant_id, "slug-1", "B", Role::viewer});
    EXPECT_EQ(code_of(recovery.plan(call_, {.email = "ada@example.com", .tenant = {}})),
              "auth.tenant_ambiguous");
    for (const auto& name : {std::string{"slug-1"}, recovery_tenants.names[1].tenant_id.text()}) {
        const auto named = recovery.plan(call_, {.email = "ada@example.com", .tenant = name});
        ASSERT_TRUE(named) << name;
        EXPECT_EQ(named->tenant.slug, "slug-1");
        EXPECT_EQ(named->role, Role::viewer);
    }
    const auto unknown = recovery.plan(call_, {.email = "ada@example.com", .tenant = "none"});
    EXPECT_EQ(code_of(unknown), "tenants.not_found");
    EXPECT_THAT(unknown.error().detail, HasSubstr("There are: slug-0, slug-1."));
}

TEST_F(RecoveryTest, lists_no_end_of_tenants) {
    for (int i = 0; i < 30; ++i)
        recovery_tenants.names.push_back(
            {TenantId::make(clock.now(), random), "s-" + std::to_string(i), "S"}
        );
    const auto plan = recovery.plan(
        call_, {.email = "new@example.com", .tenant = {}, .may_make_user = true}
    );
    EXPECT_THAT(plan.error().detail, AllOf(HasSubstr("s-19, …"), Not(HasSubstr("s-20"))));
    recovery_tenants.names.clear();
    EXPECT_EQ(code_of(recovery.plan(call_, {.email = "new@example.com", .tenant = {}})),
              "tenants.not_found");
}

}  // namespace
}  // namespace synapsex::auth
