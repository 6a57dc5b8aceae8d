#include "controlplane/services/auth/sign_in_limits.hpp"

#include "controlplane/services/auth/auth_fixture.hpp"
#include "controlplane/services/auth/problems.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

constexpr auto kFree = SignInLimits::kPair.failures_free;

TEST(PlaceOf, is_an_ipv4_address_and_a_64_of_ipv6) {
    EXPECT_EQ(place_of("192.0.2.7"), "192.0.2.7");
    EXPECT_EQ(place_of("::ffff:192.0.2.7"), "192.0.2.7");
    EXPECT_EQ(place_of("2001:db8:1:2:3:4:5:6"), "20010db800010002/64");
    EXPECT_EQ(place_of("2001:db8:1:2::"), "20010db800010002/64");
    EXPECT_NE(place_of("2001:db8:1:3::"), place_of("2001:db8:1:2::"));
    EXPECT_EQ(place_of(""), "");
}

class SignInLimitsTest : public AuthFixture {
 protected:
    Call from(const std::string& address) {
        auto call = nobody();
        call.client_address = address;
        return call;
    }
    Result<TokenPair> try_to_sign_in(
        const std::string& email, const std::string& password, const std::string& address
    ) {
        return service.login(from(address), {{email}, {password}});
    }
    std::string wrong(const std::string& email, const std::string& address = kElsewhere) {
        return code_of(try_to_sign_in(email, "wrong", address));
    }
    std::string right(const std::string& email, const std::string& address = kElsewhere) {
        return code_of(try_to_sign_in(email, kPassword, address));
    }
    // Fails from so many places, a few times from each.
    void fail_from_everywhere(const std::string& email, std::int64_t failures) {
        for (std::int64_t i = 0; i < failures; ++i)
            ASSERT_EQ(
                wrong(email, "203.0.113." + std::to_string(i / 4)), "auth.login_failed"
            ) << i;
    }
    std::int64_t locks() {
        constexpr db::Query kCount{"test.locks", "SELECT count(*) AS n FROM auth_sign_in_locks"};
        return database.in_read([&](db::Session& session) {
            return session.query(kCount)[0].get<std::int64_t>("n");
        });
    }

    static inline const std::string kElsewhere = "198.51.100.66";
    const TokenPair ada = registered("ada@example.com");
};

TEST_F(SignInLimitsTest, after_five_failures_the_right_password_has_to_wait_too) {
    for (int i = 0; i < kFree; ++i) EXPECT_EQ(wrong("ada@example.com"), "auth.login_failed");
    const auto refused = try_to_sign_in("ada@example.com", kPassword, kElsewhere);
    ASSERT_EQ(code_of(refused), "auth.too_many_attempts");
    EXPECT_EQ(refused.error().kind, Kind::rate_limited);
    EXPECT_EQ(refused.error().retry_after, 15s);
    EXPECT_EQ(wrong("ada@example.com"), "auth.too_many_attempts");
    clock.advance(15s - 1us);
    EXPECT_EQ(right("ada@example.com"), "auth.too_many_attempts");
    clock.advance(1us);
    EXPECT_EQ(right("ada@example.com"), "");
}

TEST_F(SignInLimitsTest, waits_double_up_to_a_quarter_of_an_hour_and_never_longer) {
    for (int i = 1; i < kFree; ++i) wrong("ada@example.com");
    for (const auto wait : {15s, 30s, 60s, 120s, 240s, 480s, 900s, 900s, 900s}) {
        EXPECT_EQ(wrong("ada@example.com"), "auth.login_failed");
        const auto refused = try_to_sign_in("ada@example.com", kPassword, kElsewhere);
        ASSERT_EQ(code_of(refused), "auth.too_many_attempts") << wait.count();
        EXPECT_EQ(refused.error().retry_after, wait);
        clock.advance(wait);
    }
}

TEST_F(SignInLimitsTest, an_account_that_does_not_exist_is_held_up_in_the_same_words) {
    for (const auto* email : {"ada@example.com", "nobody@example.com", "no address"}) {
        for (int i = 0; i < kFree; ++i) EXPECT_EQ(wrong(email), "auth.login_failed") << email;
        const auto refused = try_to_sign_in(email, "wrong", kElsewhere);
        ASSERT_EQ(code_of(refused), "auth.too_many_attempts") << email;
        EXPECT_EQ(refused.error().detail, too_many_attempts(15s).detail);
        EXPECT_EQ(refused.error().retry_after, 15s);
    }
    EXPECT_EQ(wrong("other@example.com"), "auth.login_failed") << "counted for itself";
}

TEST_F(SignInLimitsTest, what_has_to_wait_costs_no_hash) {
    PasswordGate closed{clock, random, kCheap, {.running_max = 0, .wait_max = 0ms}};
    AuthService without_hashes{
        {*database, tenants, registration, closed, tokens, cache, clock, random,
         database.metrics()},
        RegistrationMode::open
    };
    EXPECT_EQ(
        code_of(without_hashes.login(from(kElsewhere), {{"ada@example.com"}, {"wrong"}})),
        "auth.busy"
    );
    for (int i = 0; i < kFree; ++i) wrong("ada@example.com");
    EXPECT_EQ(
        code_of(without_hashes.login(from(kElsewhere), {{"ada@example.com"}, {"wrong"}})),
        "auth.too_many_attempts"
    ) << "another replica knows, and has asked nobody to hash";
}

TEST_F(SignInLimitsTest, a_sign_in_that_succeeds_begins_the_count_anew) {
    for (int round = 0; round < 3; ++round) {
        for (int i = 1; i < kFree; ++i)
            EXPECT_EQ(wrong("ada@example.com"), "auth.login_failed") << round;
        EXPECT_EQ(right("ada@example.com"), "");
    }
    for (int i = 0; i < kFree; ++i) wrong("ada@example.com");
    EXPECT_EQ(locks(), 1);
    clock.advance(15s);
    EXPECT_EQ(right("ada@example.com"), "");
    EXPECT_EQ(locks(), 0) << "for replicas, too";
    EXPECT_EQ(wrong("ada@example.com"), "auth.login_failed");
    EXPECT_EQ(wrong("ada@example.com"), "auth.login_failed");
}

TEST_F(SignInLimitsTest, failures_fade_one_by_one) {
    for (int i = 1; i < kFree; ++i) wrong("ada@example.com");
    clock.advance(2 * SignInLimits::kPair.fades);
    EXPECT_EQ(wrong("ada@example.com"), "auth.login_failed");
    EXPECT_EQ(wrong("ada@example.com"), "auth.login_failed");
    EXPECT_EQ(wrong("ada@example.com"), "auth.login_failed");
    EXPECT_EQ(wrong("ada@example.com"), "auth.too_many_attempts");
}

TEST_F(SignInLimitsTest, one_place_holds_up_no_other) {
    for (int i = 0; i < kFree; ++i) wrong("ada@example.com");
    EXPECT_EQ(right("ada@example.com"), "auth.too_many_attempts");
    EXPECT_EQ(right("ada@example.com", "192.0.2.7"), "");
    EXPECT_EQ(wrong("ada@example.com", "2001:db8::1"), "auth.login_failed");
    for (int i = 1; i < kFree; ++i)
        wrong("ada@example.com", "2001:db8::" + std::to_string(i + 1));
    EXPECT_EQ(right("ada@example.com", "2001:db8::ffff"), "auth.too_many_attempts")
        << "a /64 is one place";
}

TEST_F(SignInLimitsTest, a_crowd_of_places_holds_an_account_up_but_not_where_its_user_is) {
    ASSERT_EQ(right("ada@example.com", "192.0.2.7"), "");
    fail_from_everywhere("ada@example.com", SignInLimits::kAccount.failures_free);
    fail_from_everywhere("nobody@example.com", SignInLimits::kAccount.failures_free);
    EXPECT_EQ(wrong("ada@example.com", "203.0.113.200"), "auth.too_many_attempts");
    EXPECT_EQ(right("ada@example.com", "203.0.113.200"), "auth.too_many_attempts");
    EXPECT_EQ(wrong("nobody@example.com", "203.0.113.200"), "auth.too_many_attempts");
    EXPECT_EQ(right("ada@example.com", "192.0.2.7"), "") << "a session is there";
    clock.advance(SignInLimits::kAccount.longest);
    EXPECT_EQ(right("ada@example.com", "203.0.113.200"), "") << "never for long";
}

TEST_F(SignInLimitsTest, a_place_that_tries_many_accounts_is_held_up) {
    for (std::int64_t i = 0; i < SignInLimits::kPlace.failures_free; ++i)
        ASSERT_EQ(wrong("user" + std::to_string(i) + "@example.com"), "auth.login_failed");
    EXPECT_EQ(right("ada@example.com"), "auth.too_many_attempts");
    EXPECT_EQ(right("ada@example.com", "192.0.2.7"), "");
    clock.advance(SignInLimits::kPlace.longest);
    EXPECT_EQ(right("ada@example.com"), "");
}

TEST_F(SignInLimitsTest, waits_hold_in_another_replica_and_after_a_restart) {
    for (int i = 0; i < kFree; ++i) wrong("ada@example.com");
    auto replica = make_service(RegistrationMode::open);
    EXPECT_EQ(
        code_of(replica.login(from(kElsewhere), {{"ada@example.com"}, {kPassword}})),
        "auth.too_many_attempts"
    );
    clock.advance(15s);
    EXPECT_EQ(
        code_of(replica.login(from(kElsewhere), {{"ada@example.com"}, {"wrong"}})),
        "auth.login_failed"
    );
    const auto refused = try_to_sign_in("ada@example.com", kPassword, kElsewhere);
    EXPECT_EQ(code_of(refused), "auth.too_many_attempts");
    EXPECT_EQ(refused.error().retry_after, 30s) << "the replica's failure counts here";
}

TEST_F(SignInLimitsTest, a_storm_writes_when_a_wait_begins_and_not_for_each_try) {
    for (int i = 1; i < kFree; ++i) wrong("ada@example.com");
    EXPECT_EQ(locks(), 0);
    for (int i = 0; i < 100; ++i) wrong("ada@example.com");
    EXPECT_EQ(locks(), 1) << "one failure was let through, and began the wait";
    EXPECT_TRUE(service.limits().prune(nobody()));
    EXPECT_EQ(locks(), 1);
    clock.advance(SignInLimits::kForgottenAfter);
    EXPECT_TRUE(service.limits().prune(nobody()));
    EXPECT_EQ(locks(), 0);
}

TEST_F(SignInLimitsTest, a_wait_of_a_clock_that_was_ahead_ends_when_it_is_right) {
    clock.jump(24h);
    for (int i = 0; i < kFree; ++i) wrong("ada@example.com");
    EXPECT_EQ(wrong("ada@example.com"), "auth.too_many_attempts");
    clock.jump(-24h);
    EXPECT_EQ(right("ada@example.com"), "");
    auto replica = make_service(RegistrationMode::open);
    EXPECT_EQ(code_of(replica.login(from(kElsewhere), {{"ada@example.com"}, {kPassword}})), "");
}

TEST_F(SignInLimitsTest, who_is_signed_in_stays_so) {
    for (int i = 0; i < kFree; ++i) wrong("ada@example.com");
    EXPECT_EQ(wrong("ada@example.com"), "auth.too_many_attempts");
    EXPECT_TRUE(
        service.sessions().refresh(from(kElsewhere), {RefreshToken{ada.refresh_token}, {}})
    );
}

TEST_F(SignInLimitsTest, tries_that_are_under_way_count_until_they_are_known) {
    SignInLimits limits{*database, clock};
    const auto subject = SignInLimits::subject_of("ada@example.com", "192.0.2.7");
    std::vector<SignInLimits::Attempt> running;
    for (int i = 0; i < kFree; ++i) running.push_back(limits.enter(subject, {}).value());
    const auto refused = limits.enter(subject, {});
    ASSERT_FALSE(refused) << "or a crowd would be let through before the first has failed";
    EXPECT_EQ(refused.error().retry_after, 1s);
    running.pop_back();
    EXPECT_TRUE(limits.enter(subject, {})) << "one that was not checked does not count";
    running.clear();
    EXPECT_EQ(limits.size(), 0U);
    // After a wait they come one by one.
    for (int i = 0; i < kFree; ++i) ASSERT_TRUE(limits.enter(subject, {})->failed(nobody()));
    clock.advance(15s);
    const auto one = limits.enter(subject, {});
    EXPECT_TRUE(one);
    EXPECT_FALSE(limits.enter(subject, {}));
}

TEST_F(SignInLimitsTest, memory_is_bounded_and_what_waits_is_not_lost_with_it) {
    SignInLimits limits{*database, clock, 30};
    const auto fail = [&](const std::string& email) {
        const auto subject = SignInLimits::subject_of(email, email);
        return limits.enter(subject, {}).value().failed(nobody()).has_value();
    };
    for (int i = 0; i < kFree; ++i) ASSERT_TRUE(fail("ada@example.com"));
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(fail("user" + std::to_string(i)));
    EXPECT_LE(limits.size(), 30U);
    const auto subject = SignInLimits::subject_of("ada@example.com", "ada@example.com");
    const auto stored = database.in_read([&](db::Session& session) {
        return SessionStore{session}.find_locks(subject[0], subject[1], subject[2]);
    });
    EXPECT_THAT(stored, SizeIs(1));
    EXPECT_FALSE(limits.enter(subject, {stored, false}));
}

}  // namespace
}  // namespace synapsex::auth
