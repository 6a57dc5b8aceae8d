#include "controlplane/services/auth/principal_cache.hpp"

#include "controlplane/services/auth/auth_fixture.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;

class PrincipalCacheTest : public ::testing::Test {
 protected:
    testing::FakeClock clock;
    testing::SeededRandom random;
    PrincipalCache cache{clock, 1600};

    std::shared_ptr<const Principal> principal(std::string credential_id) {
        auto made = std::make_shared<Principal>();
        made->credential_id = std::move(credential_id);
        return made;
    }
    std::shared_ptr<const Principal> member(const UserId& user, const TenantId& tenant) {
        auto made = std::make_shared<Principal>();
        made->user = user;
        made->tenant = tenant;
        return made;
    }
    void put(const Credential& credential, std::shared_ptr<const Principal> whose) {
        cache.put(credential, std::move(whose), clock.steady_now() + 5s, cache.epoch());
    }
};

TEST_F(PrincipalCacheTest, remembers_until_the_lifetime_is_over) {
    const auto ada = principal("ses_1");
    put({"secret", ""}, ada);
    EXPECT_EQ(cache.find({"secret", ""}), ada);
    clock.advance(5s - 1us);
    EXPECT_EQ(cache.find({"secret", ""}), ada);
    clock.advance(1us);
    EXPECT_EQ(cache.find({"secret", ""}), nullptr);
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(PrincipalCacheTest, tells_tenant_choices_apart) {
    const auto here = principal("ses_1");
    const auto there = principal("ses_1");
    put({"secret", ""}, here);
    put({"secret", "acme"}, there);
    EXPECT_EQ(cache.find({"secret", ""}), here);
    EXPECT_EQ(cache.find({"secret", "acme"}), there);
    EXPECT_EQ(cache.find({"secret", "other"}), nullptr);
    EXPECT_EQ(cache.find({"secretacme", ""}), nullptr);
}

TEST_F(PrincipalCacheTest, a_newer_answer_replaces_an_older_one) {
    put({"secret", ""}, principal("ses_1"));
    const auto newer = principal("ses_1");
    put({"secret", ""}, newer);
    EXPECT_EQ(cache.find({"secret", ""}), newer);
    EXPECT_EQ(cache.size(), 1U);
}

TEST_F(PrincipalCacheTest, does_not_remember_what_has_no_life_left_or_no_possible_tenant) {
    cache.put({"secret", ""}, principal("ses_1"), clock.steady_now(), cache.epoch());
    put({"secret", std::string(65, 'a')}, principal("ses_1"));
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(PrincipalCacheTest, forgets_a_credential_under_every_tenant_choice_and_no_other) {
    put({"mine", ""}, principal("key_1"));
    put({"mine", "acme"}, principal("key_1"));
    put({"other", ""}, principal("key_2"));
    cache.forget_credential("key_1");
    EXPECT_EQ(cache.find({"mine", ""}), nullptr);
    EXPECT_EQ(cache.find({"mine", "acme"}), nullptr);
    EXPECT_NE(cache.find({"other", ""}), nullptr);
}

TEST_F(PrincipalCacheTest, forgets_an_agent) {
    auto agent = std::make_shared<Principal>();
    agent->agent = AgentId::make(clock.now(), random);
    put({"token", ""}, agent);
    put({"user", ""}, principal("ses_1"));
    cache.forget_agent(agent->agent);
    EXPECT_EQ(cache.find({"token", ""}), nullptr);
    EXPECT_NE(cache.find({"user", ""}), nullptr);
}

TEST_F(PrincipalCacheTest, forgets_a_member_in_one_tenant) {
    const auto ada = UserId::make(clock.now(), random);
    const auto acme = TenantId::make(clock.now(), random);
    put({"session", ""}, member(ada, acme));
    put({"key", ""}, member(ada, acme));
    put({"session", "other"}, member(ada, TenantId::make(clock.now(), random)));
    put({"bob", ""}, member(UserId::make(clock.now(), random), acme));
    cache.forget_member(acme, ada);
    EXPECT_EQ(cache.find({"session", ""}), nullptr);
    EXPECT_EQ(cache.find({"key", ""}), nullptr);
    EXPECT_NE(cache.find({"session", "other"}), nullptr);
    EXPECT_NE(cache.find({"bob", ""}), nullptr);
}

TEST_F(PrincipalCacheTest, forgets_all_of_a_tenant_and_nobody_elses) {
    const auto ada = UserId::make(clock.now(), random);
    const auto acme = TenantId::make(clock.now(), random);
    const auto read_in = cache.epoch();
    put({"ada", ""}, member(ada, acme));
    put({"bob", ""}, member(UserId::make(clock.now(), random), acme));
    put({"ada", "other"}, member(ada, TenantId::make(clock.now(), random)));
    cache.forget_tenant(acme);
    EXPECT_EQ(cache.find({"ada", ""}), nullptr);
    EXPECT_EQ(cache.find({"bob", ""}), nullptr);
    EXPECT_NE(cache.find({"ada", "other"}), nullptr);
    cache.put({"ada", ""}, member(ada, acme), clock.steady_now() + 5s, read_in);
    EXPECT_EQ(cache.find({"ada", ""}), nullptr) << "it was read before";
}

TEST_F(PrincipalCacheTest, an_answer_that_was_read_before_a_revocation_is_not_remembered_after_it) {
    const auto read_in = cache.epoch();
    cache.forget_credential("key_1");
    cache.put({"mine", ""}, principal("key_1"), clock.steady_now() + 5s, read_in);
    EXPECT_EQ(cache.find({"mine", ""}), nullptr);
}

TEST_F(PrincipalCacheTest, is_bounded_and_the_oldest_goes_first) {
    for (int i = 0; i < 10'000; ++i) put({std::to_string(i), ""}, principal("ses_1"));
    EXPECT_EQ(cache.size(), 1600U);
    EXPECT_NE(cache.find({"9999", ""}), nullptr);
    EXPECT_EQ(cache.find({"0", ""}), nullptr);
}

}  // namespace
}  // namespace synapsex::auth
