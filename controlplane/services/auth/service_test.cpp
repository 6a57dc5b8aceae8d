#include "controlplane/services/auth/service.hpp"

#include <algorithm>

#include "controlplane/services/auth/auth_fixture.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::Not;
using ::testing::SizeIs;

using SigningIn = AuthFixture;
using StayingSignedIn = AuthFixture;
using ApiKeys = AuthFixture;
using FirstOwnerTest = AuthFixture;

Login login_of(const std::string& email, const std::string& password = kPassword) {
    return {{email}, {password}};
}

TEST_F(SigningIn, after_registering_with_the_same_password) {
    const auto registered_pair = registered("ada@example.com");
    const auto pair = service.login(nobody(), login_of("ADA@example.com"));
    ASSERT_TRUE(pair) << code_of(pair);
    EXPECT_EQ(pair->token_type, "bearer");
    EXPECT_EQ(pair->expires_in, 900);
    EXPECT_EQ(pair->user.id, registered_pair.user.id);
    EXPECT_EQ(pair->user.email, "ada@example.com");
    EXPECT_EQ(pair->user.tenant_id, tenants.places[0].membership.tenant_id);
    const auto claims = tokens.verify(pair->access_token);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->user, pair->user.id);
    EXPECT_EQ(claims->tenant, pair->user.tenant_id);
}

TEST_F(SigningIn, a_wrong_password_and_an_unknown_user_read_the_same) {
    registered("ada@example.com");
    const auto wrong = service.login(nobody(), login_of("ada@example.com", "wrong"));
    const auto unknown = service.login(nobody(), login_of("eve@example.com"));
    const auto no_address = service.login(nobody(), login_of("not an address"));
    EXPECT_EQ(code_of(wrong), "auth.login_failed");
    for (const auto& other : {unknown, no_address}) {
        EXPECT_EQ(code_of(other), "auth.login_failed");
        EXPECT_EQ(other.error().kind, wrong.error().kind);
        EXPECT_EQ(other.error().detail, wrong.error().detail);
    }
}

TEST_F(SigningIn, sessions_of_a_clock_that_was_ahead_crowd_nobody_out) {
    registered("ada@example.com");
    clock.jump(24h);
    for (int i = 0; i < kSessionsMax; ++i)
        ASSERT_TRUE(service.login(nobody(), login_of("ada@example.com")));
    clock.jump(-24h);
    const auto pair = service.login(nobody(), login_of("ada@example.com")).value();
    EXPECT_EQ(code_of(refreshed(pair.refresh_token)), "");
}

TEST_F(StayingSignedIn, what_a_clock_that_was_ahead_began_or_refreshed_ends_when_it_is_right) {
    registered("ada@example.com");
    const auto log_in = [&] {
        return service.login(nobody(), login_of("ada@example.com")).value().refresh_token;
    };
    for (const auto ahead : {61s, 86'400s, 29 * 86'400s}) {
        const auto before = log_in();
        clock.jump(ahead);
        const auto begun = log_in();
        const auto next = refreshed(before).value().refresh_token;
        clock.jump(-ahead);
        for (const auto& token : {begun, next})
            EXPECT_EQ(
                code_of(refreshed(token)), "auth.refresh_invalid"
            ) << ahead.count();
    }
    clock.jump(60s);
    const auto token = log_in();
    clock.jump(-60s);
    EXPECT_EQ(code_of(refreshed(token)), "") << "of another replica";
}

TEST_F(SigningIn, a_user_whose_registration_is_unfinished_is_unknown) {
    tenants.fails_next = true;
    const Register wish{{"ada@example.com"}, {kPassword}, {}};
    EXPECT_FALSE(service.register_user(nobody(), wish));
    EXPECT_EQ(code_of(service.login(nobody(), login_of("ada@example.com"))), "auth.login_failed");
}

TEST_F(SigningIn, an_unknown_user_costs_a_place_among_the_hashes_too) {
    PasswordGate full{clock, random, kCheap, {.running_max = 0, .wait_max = 0ms}};
    AuthService busy_service{
        {*database, tenants, registration, full, tokens, cache, clock, random, database.metrics()},
        RegistrationMode::open
    };
    registered("ada@example.com");
    for (const auto* email : {"ada@example.com", "eve@example.com"})
        EXPECT_EQ(code_of(busy_service.login(nobody(), login_of(email))), "auth.busy") << email;
}

TEST_F(SigningIn, hashes_the_password_again_when_the_cost_has_risen) {
    registered("ada@example.com");
    PasswordGate dear{clock, random, {.memory_kib = 128, .passes = 1}, {}};
    AuthService tomorrow{
        {*database, tenants, registration, dear, tokens, cache, clock, random, database.metrics()},
        RegistrationMode::open
    };
    const auto stored_hash = [&] {
        return in_store([](AuthStore& store) {
            return store.find_user("ada@example.com")->password_hash;
        });
    };
    const auto before = stored_hash();
    EXPECT_FALSE(tomorrow.login(nobody(), login_of("ada@example.com", "wrong")));
    EXPECT_EQ(stored_hash(), before);
    EXPECT_TRUE(tomorrow.login(nobody(), login_of("ada@example.com")));
    EXPECT_THAT(stored_hash(), ::testing::StartsWith("$argon2id$v=19$m=128,"));
    EXPECT_TRUE(tomorrow.login(nobody(), login_of("ada@example.com")));
}

TEST_F(SigningIn, who_belongs_to_no_tenant_is_told_so) {
    const auto ada = registered("ada@example.com");
    tenants.places.clear();
    const auto refused = service.login(nobody(), login_of("ada@example.com"));
    EXPECT_EQ(code_of(refused), "auth.no_tenant");
    EXPECT_EQ(refused.error().kind, Kind::forbidden);
    EXPECT_EQ(code_of(refreshed(ada.refresh_token)), "auth.no_tenant");
}

TEST_F(SigningIn, registration_is_closed_unless_it_is_opened) {
    auto closed = make_service(RegistrationMode::closed);
    const auto refused =
        closed.register_user(nobody(), {{"ada@example.com"}, {kPassword}, {}});
    EXPECT_EQ(code_of(refused), "auth.registration_closed");
    EXPECT_EQ(refused.error().kind, Kind::forbidden);
}

TEST_F(SigningIn, the_tenant_is_named_after_the_user_or_the_address) {
    registered("ada@example.com");
    clock.advance(1s);
    service.register_user(nobody(), {{"bob@b.c"}, {kPassword}, Name<1, 100>{"Bob B."}}).value();
    EXPECT_EQ(tenants.places[0].membership.name, "ada");
    EXPECT_EQ(tenants.places[1].membership.name, "Bob B.");
}

TEST_F(SigningIn, beyond_a_hundred_sessions_the_oldest_ends) {
    const auto first = registered("ada@example.com");
    for (std::int64_t i = 1; i < kSessionsMax; ++i) {
        clock.advance(1s);
        service.login(nobody(), login_of("ada@example.com")).value();
    }
    EXPECT_TRUE(in_store([&](AuthStore& store) {
        return store.find_session(
            tokens.verify(first.access_token)->session, clock.now(), clock.now()
        );
    }));
    service.login(nobody(), login_of("ada@example.com")).value();
    const auto again = refreshed(first.refresh_token);
    EXPECT_EQ(code_of(again), "auth.refresh_invalid");
}

TEST_F(SigningIn, sessions_are_pruned_when_they_have_expired) {
    const auto count = [&] {
        return database.in_read([](db::Session& session) {
            constexpr db::Query kCount{"test.count", "SELECT count(*) AS n FROM auth_sessions"};
            return session.query(kCount)[0].get<std::int64_t>("n");
        });
    };
    registered("ada@example.com");
    clock.advance(kSessionLifetime - 1s);
    service.login(nobody(), login_of("ada@example.com")).value();
    EXPECT_TRUE(service.sessions().prune(nobody()));
    EXPECT_EQ(count(), 2);
    clock.advance(1s);
    EXPECT_TRUE(service.sessions().prune(nobody()));
    EXPECT_EQ(count(), 1);
}

TEST_F(StayingSignedIn, a_refresh_gives_new_tokens_of_the_same_session) {
    const auto first = registered("ada@example.com");
    clock.advance(10min);
    const auto second = refreshed(first.refresh_token);
    ASSERT_TRUE(second) << code_of(second);
    EXPECT_NE(second->refresh_token, first.refresh_token);
    const auto session = tokens.verify(second->access_token)->session;
    EXPECT_EQ(session, tokens.verify(first.access_token)->session);
    EXPECT_EQ(second->user.id, first.user.id);
    EXPECT_TRUE(refreshed(second->refresh_token));
}

TEST_F(StayingSignedIn, a_refresh_that_fails_on_the_way_does_not_use_the_token_up) {
    const auto pair = registered("ada@example.com");
    const auto places = std::exchange(tenants.places, {});
    EXPECT_FALSE(refreshed(pair.refresh_token));
    tenants.places = places;
    EXPECT_TRUE(refreshed(pair.refresh_token));
}

TEST_F(StayingSignedIn, a_refresh_token_lives_30_days_from_its_last_use) {
    auto pair = registered("ada@example.com");
    clock.advance(kSessionLifetime - 1us);
    pair = refreshed(pair.refresh_token).value();
    clock.advance(kSessionLifetime);
    EXPECT_EQ(code_of(refreshed(pair.refresh_token)), "auth.refresh_invalid");
}

TEST_F(StayingSignedIn, what_is_no_refresh_token_is_refused) {
    const auto pair = registered("ada@example.com");
    for (const auto& bad : {std::string{"x"}, pair.access_token, "rt_sx_" + std::string(43, '0')})
        EXPECT_EQ(code_of(refreshed(bad)), "auth.refresh_invalid");
}

TEST_F(ApiKeys, are_shown_once_and_listed_by_their_prefix) {
    const auto call = call_of(registered("ada@example.com"));
    const auto made = service.create_key(call, {{"ci"}, Text<0, 500>{"For CI"}});
    ASSERT_TRUE(made) << code_of(made);
    EXPECT_TRUE(made->key.starts_with("sk_sx_"));
    EXPECT_EQ(made->prefix, made->key.substr(0, 12));
    const auto page = service.list_keys(call, {});
    ASSERT_THAT(page->items, SizeIs(1));
    EXPECT_EQ(page->items[0].id, made->id);
    EXPECT_EQ(page->items[0].name, "ci");
    EXPECT_EQ(page->items[0].description, "For CI");
    EXPECT_EQ(page->items[0].prefix, made->prefix);
    EXPECT_FALSE(page->items[0].last_used_at);
}

TEST_F(ApiKeys, are_made_by_who_signed_in_and_not_by_another_key) {
    // The gateway refuses it.
    EXPECT_TRUE(kCreateApiKey.access.is_closed_to_keys);
}

TEST_F(ApiKeys, are_a_users_own_and_in_one_tenant) {
    const auto ada = call_of(registered("ada@example.com"));
    const auto bob = call_of(registered("bob@example.com"));
    const auto key = service.create_key(ada, {{"ci"}, {}}).value();
    EXPECT_THAT(service.list_keys(bob, {})->items, SizeIs(0));
    EXPECT_EQ(code_of(service.revoke_key(bob, key.id)), "auth.key_not_found");
    auto elsewhere = ada;
    elsewhere.tenant = bob.tenant;
    EXPECT_THAT(service.list_keys(elsewhere, {})->items, SizeIs(0));
    EXPECT_EQ(code_of(service.revoke_key(elsewhere, key.id)), "auth.key_not_found");
}

TEST_F(ApiKeys, leave_the_list_when_they_are_revoked_and_may_be_revoked_again) {
    const auto call = call_of(registered("ada@example.com"));
    const auto key = service.create_key(call, {{"ci"}, {}}).value();
    EXPECT_TRUE(service.revoke_key(call, key.id));
    EXPECT_THAT(service.list_keys(call, {})->items, SizeIs(0));
    EXPECT_TRUE(service.revoke_key(call, key.id));
}

TEST_F(ApiKeys, come_in_stable_pages) {
    const auto call = call_of(registered("ada@example.com"));
    for (const auto* name : {"one", "two", "three"}) {
        clock.advance(1s);
        service.create_key(call, {{name}, {}}).value();
    }
    ListApiKeys wish;
    wish.limit.value.value = 2;
    const auto first = service.list_keys(call, wish);
    ASSERT_THAT(first->items, SizeIs(2));
    ASSERT_TRUE(first->next_cursor);
    wish.cursor = api::Cursor{*first->next_cursor};
    const auto second = service.list_keys(call, wish);
    ASSERT_THAT(second->items, SizeIs(1));
    EXPECT_EQ(second->items[0].name, "three");
    EXPECT_FALSE(second->next_cursor);
    wish.cursor = api::Cursor{api::encode_cursor("x")};
    EXPECT_EQ(code_of(service.list_keys(call, wish)), "request.cursor_invalid");
}

TEST_F(ApiKeys, are_at_most_as_many_as_the_plan_allows) {
    const auto call = call_of(registered("ada@example.com"));
    tenants.limits.values[static_cast<std::size_t>(tenant::LimitName::keys)] = 2;
    const auto first = service.create_key(call, {{"first"}, {}}).value();
    service.create_key(call, {{"second"}, {}}).value();
    const auto refused = service.create_key(call, {{"third"}, {}});
    EXPECT_EQ(code_of(refused), "auth.key_limit_reached");
    EXPECT_THAT(
        refused.error().detail, ::testing::HasSubstr("2 API keys of a user (plan free)")
    );
    EXPECT_TRUE(service.revoke_key(call, first.id));
    EXPECT_TRUE(service.create_key(call, {{"third"}, {}}));
}

TEST_F(ApiKeys, are_at_most_a_hundred_and_the_revoked_do_not_count) {
    const auto call = call_of(registered("ada@example.com"));
    const auto first = service.create_key(call, {{"first"}, {}}).value();
    for (std::int64_t i = 1; i < kApiKeysMax; ++i) service.create_key(call, {{"k"}, {}}).value();
    const auto refused = service.create_key(call, {{"one more"}, {}});
    EXPECT_EQ(code_of(refused), "auth.key_limit_reached");
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    EXPECT_TRUE(service.revoke_key(call, first.id));
    EXPECT_TRUE(service.create_key(call, {{"one more"}, {}}));
}

TEST_F(ApiKeys, me_says_who_a_credential_is_and_what_its_role_allows) {
    const auto pair = registered("ada@example.com");
    auto call = call_of(pair, PrincipalKind::api_key);
    EXPECT_EQ(service.me(call).kind, "api_key");
    EXPECT_EQ(service.me(call).id, pair.user.id);
    EXPECT_THAT(service.me(call).scopes, Contains("tenants.write"));
    auto viewer = std::make_shared<Principal>(*call.principal);
    viewer->kind = PrincipalKind::user;
    viewer->role = Role::viewer;
    viewer->scopes = scopes_of(Role::viewer);
    call.principal = viewer;
    EXPECT_EQ(service.me(call).kind, "user");
    EXPECT_THAT(service.me(call).scopes, Contains("vms.read"));
    EXPECT_THAT(service.me(call).scopes, Not(Contains("tenants.write")));
}

TEST_F(FirstOwnerTest, is_made_once_though_registration_is_closed) {
    auto closed = make_service(RegistrationMode::closed);
    EXPECT_FALSE(*closed.has_users(nobody()));
    const FirstOwnerWish wish{"Ada@Example.com", "Ada", kPassword, "Acme"};
    const auto owner = closed.create_first_owner(nobody(), wish);
    ASSERT_TRUE(owner) << code_of(owner);
    EXPECT_EQ(owner->tenant_id, tenants.places[0].membership.tenant_id);
    EXPECT_EQ(owner->tenant_slug, tenants.places[0].membership.slug);
    EXPECT_EQ(tenants.places[0].membership.name, "Acme");
    EXPECT_TRUE(*closed.has_users(nobody()));
    EXPECT_TRUE(closed.login(nobody(), login_of("ada@example.com")));
    const FirstOwnerWish second{"eve@example.com", "Eve", kPassword, "Evil"};
    EXPECT_EQ(code_of(closed.create_first_owner(nobody(), second)), "auth.already_initialized");
}

TEST_F(FirstOwnerTest, is_made_at_the_second_try_when_the_first_broke_off) {
    const FirstOwnerWish wish{"ada@example.com", "Ada", kPassword, "Acme"};
    tenants.fails_next = true;
    EXPECT_FALSE(service.create_first_owner(nobody(), wish));
    EXPECT_FALSE(*service.has_users(nobody()));
    EXPECT_TRUE(service.create_first_owner(nobody(), wish));
}

}  // namespace
}  // namespace synapsex::auth
