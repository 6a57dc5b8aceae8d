#include "controlplane/services/auth/store.hpp"

#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/services/auth/auth_fixture.hpp"
#include "controlplane/services/auth/session_store.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::SizeIs;

struct Stores : AuthStore {
    explicit Stores(db::Session& session) : AuthStore(session), sessions(session) {}

    // Whether a refresh with a token of this hash finds its session.
    bool refreshes(std::string_view hash, Timestamp now, Timestamp latest) {
        return sessions.find_family(hash, "no family", now, latest).has_value();
    }
    SessionStore sessions;
};

class AuthStoreTest : public ::testing::Test {
 protected:
    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{
        clock, {{"outbox", outbox::kMigrations}, {"auth-service", kMigrations}}};

    template <class Fn>
    auto in_store(Fn fn) {
        return database.in_write([&](db::Session& session) {
            Stores store{session};
            return fn(store);
        });
    }
    UserRow user(std::string email, UserState state = UserState::active) {
        const auto id = UserId::make(clock.now(), random);
        return {id, std::move(email), "hash", "Ada", state, clock.now()};
    }
    UserRow stored_user(const std::string& email, UserState state = UserState::active) {
        const auto row = user(email, state);
        EXPECT_TRUE(in_store([&](Stores& store) { return store.insert_user(row); }));
        return row;
    }
    SessionRow stored_session(const UserRow& of, const std::string& refresh_hash) {
        const SessionRow row{
            SessionId::make(clock.now(), random), of.user_id, refresh_hash, clock.now(),
            clock.now() + 1h
        };
        in_store([&](Stores& store) { store.insert_session(row); });
        return row;
    }
    ApiKeyId stored_key(const TenantId& tenant, const UserRow& of, const std::string& hash) {
        const auto id = ApiKeyId::make(clock.now(), random);
        in_store([&](Stores& store) {
            store.insert_key(tenant, {of.user_id, {id, "ci", "", "sk_sx_", clock.now(), {}}, hash});
        });
        return id;
    }
};

TEST_F(AuthStoreTest, prepares_every_statement) {
    EXPECT_NO_THROW(database->prepare_all(AuthStore::queries()));
}

TEST_F(AuthStoreTest, an_email_names_one_user_in_whatever_state) {
    const auto ada = stored_user("ada@example.com", UserState::registering);
    EXPECT_FALSE(in_store([](Stores& store) { return store.has_active_users(); }));
    const auto second = user("ada@example.com");
    EXPECT_FALSE(in_store([&](Stores& store) { return store.insert_user(second); }));
    const auto found = in_store([&](Stores& store) { return store.find_user(ada.email); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->user_id, ada.user_id);
    EXPECT_EQ(found->state, UserState::registering);
    EXPECT_FALSE(in_store([](Stores& store) { return store.find_user("eve@example.com"); }));
}

TEST_F(AuthStoreTest, only_the_try_whose_hash_is_stored_activates_a_user) {
    auto ada = stored_user("ada@example.com", UserState::registering);
    auto again = ada;
    again.password_hash = "hash 2";
    in_store([&](Stores& store) {
        EXPECT_TRUE(store.restart_registration(again));
        EXPECT_FALSE(store.activate_user(ada, clock.now()));
        EXPECT_TRUE(store.activate_user(again, clock.now()));
        EXPECT_FALSE(store.activate_user(again, clock.now()));
        EXPECT_FALSE(store.restart_registration(again));
        EXPECT_TRUE(store.has_active_users());
    });
}

TEST_F(AuthStoreTest, a_password_hash_is_replaced_only_while_it_is_the_one_that_was_read) {
    const auto ada = stored_user("ada@example.com");
    in_store([&](Stores& store) {
        store.replace_password_hash(ada.user_id, "other", "new", clock.now());
        EXPECT_EQ(store.find_user(ada.email)->password_hash, "hash");
        store.replace_password_hash(ada.user_id, "hash", "new", clock.now());
        EXPECT_EQ(store.find_user(ada.email)->password_hash, "new");
    });
}

TEST_F(AuthStoreTest, an_active_user_has_one_password_and_others_have_none) {
    const auto ada = stored_user("ada@example.com");
    const auto eve = stored_user("eve@example.com", UserState::registering);
    in_store([&](Stores& store) {
        EXPECT_TRUE(store.has_password(ada.user_id, "hash"));
        EXPECT_FALSE(store.has_password(ada.user_id, "other"));
        EXPECT_FALSE(store.has_password(eve.user_id, "hash"));
    });
}

TEST_F(AuthStoreTest, a_registration_that_a_recovery_has_taken_over_is_ended_by_nobody_else) {
    const auto ada = stored_user("ada@example.com", UserState::registering);
    const auto eve = stored_user("eve@example.com");
    in_store([&](Stores& store) {
        EXPECT_FALSE(store.take_over_registration(eve.user_id, clock.now()));
        EXPECT_TRUE(store.take_over_registration(ada.user_id, clock.now()));
        EXPECT_TRUE(store.take_over_registration(ada.user_id, clock.now()));
        EXPECT_FALSE(store.restart_registration(ada));
        EXPECT_FALSE(store.activate_user(ada, clock.now()));
        EXPECT_TRUE(store.recover_user(ada.user_id, "new", clock.now()));
        EXPECT_TRUE(store.has_password(ada.user_id, "new"));
    });
}

TEST_F(AuthStoreTest, abandons_old_registrations_only_and_a_few_at_a_time) {
    stored_user("old1@example.com", UserState::registering);
    stored_user("old2@example.com", UserState::registering);
    stored_user("active@example.com");
    clock.advance(1h);
    const auto young = stored_user("young@example.com", UserState::registering);
    in_store([&](Stores& store) {
        const auto first = store.abandon_registrations(clock.now(), clock.now(), 1);
        ASSERT_THAT(first, SizeIs(1));
        EXPECT_EQ(first[0].state, UserState::abandoned);
        EXPECT_THAT(store.abandon_registrations(clock.now(), clock.now(), 10), SizeIs(1));
        EXPECT_THAT(store.abandon_registrations(clock.now(), clock.now(), 10), SizeIs(0));
        store.remove_abandoned_user(young.user_id);
        EXPECT_TRUE(store.find_user(young.email));
        store.remove_abandoned_user(first[0].user_id);
        EXPECT_FALSE(store.find_user(first[0].email));
    });
}

TEST_F(AuthStoreTest, finds_a_session_of_an_active_user_until_it_expires) {
    const auto ada = stored_user("ada@example.com");
    const auto unfinished = stored_user("eve@example.com", UserState::registering);
    const auto session = stored_session(ada, "r1");
    const auto dead = stored_session(unfinished, "r2");
    in_store([&](Stores& store) {
        const auto now = clock.now();
        const auto found = store.find_session(session.session_id, now, now);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->email, "ada@example.com");
        EXPECT_EQ(found->full_name, "Ada");
        EXPECT_TRUE(store.refreshes("r1", now, now));
        EXPECT_FALSE(store.find_session(session.session_id, now + 1h, now + 1h));
        EXPECT_FALSE(store.refreshes("r1", now + 1h, now + 1h));
        EXPECT_FALSE(store.find_session(dead.session_id, now, now));
        EXPECT_FALSE(store.refreshes("r2", now, now));
    });
}

TEST_F(AuthStoreTest, ends_the_oldest_sessions_of_one_user_and_prunes_the_expired_of_all) {
    const auto ada = stored_user("ada@example.com");
    const auto eve = stored_user("eve@example.com");
    stored_session(eve, "e1");
    std::vector<SessionId> of_ada;
    for (const auto* hash : {"a1", "a2", "a3"}) {
        clock.advance(1s);
        of_ada.push_back(stored_session(ada, hash).session_id);
    }
    in_store([&](Stores& store) {
        const auto now = clock.now();
        Rotation last{of_ada[0], "a1", "a1b", "family", "sealed"};
        last.now = now + 1s;
        last.expires_at = now + 1h;
        EXPECT_TRUE(store.sessions.rotate(last));
        EXPECT_THAT(
            store.end_oldest_sessions(ada.user_id, 2, now + 1s), ElementsAre(of_ada[1])
        );
        EXPECT_TRUE(store.refreshes("a1b", now, now + 1s));
        EXPECT_FALSE(store.refreshes("a2", now, now));
        EXPECT_TRUE(store.refreshes("a3", now, now));
        EXPECT_TRUE(store.refreshes("e1", now, now));
        EXPECT_EQ(store.prune_sessions(now + 1h - 1s, 10), 1);
        EXPECT_FALSE(store.refreshes("e1", now, now));
        EXPECT_TRUE(store.refreshes("a3", now, now));
    });
}

TEST_F(AuthStoreTest, a_session_that_is_later_than_now_is_not_found_and_ends_first) {
    const auto ada = stored_user("ada@example.com");
    stored_session(ada, "a1");
    clock.advance(1h);
    const auto late = stored_session(ada, "a2");
    in_store([&](Stores& store) {
        const auto latest = clock.now() - 1us;
        const auto now = clock.now() - 30min;
        EXPECT_FALSE(store.find_session(late.session_id, now, latest));
        EXPECT_FALSE(store.refreshes("a2", now, latest));
        EXPECT_TRUE(store.find_session(late.session_id, now, latest + 1us));
        EXPECT_TRUE(store.refreshes("a2", now, latest + 1us));
        store.end_oldest_sessions(ada.user_id, 1, latest);
        EXPECT_TRUE(store.refreshes("a1", now, latest));
        EXPECT_FALSE(store.refreshes("a2", now, latest + 1us));
    });
}

TEST_F(AuthStoreTest, keys_are_listed_by_tenant_and_user_without_the_revoked) {
    const auto ada = stored_user("ada@example.com");
    const auto eve = stored_user("eve@example.com");
    const auto tenant = TenantId::make(clock.now(), random);
    const auto other = TenantId::make(clock.now(), random);
    const auto first = stored_key(tenant, ada, "k1");
    clock.advance(1s);
    const auto second = stored_key(tenant, ada, "k2");
    stored_key(other, ada, "k3");
    stored_key(tenant, eve, "k4");
    in_store([&](Stores& store) {
        EXPECT_EQ(store.count_keys(tenant, ada.user_id), 2);
        const auto keys = store.list_keys(tenant, ada.user_id, "", 10);
        ASSERT_THAT(keys, SizeIs(2));
        EXPECT_EQ(keys[0].id, first);
        EXPECT_EQ(keys[1].id, second);
        EXPECT_THAT(store.list_keys(tenant, ada.user_id, first.text(), 10), SizeIs(1));
        EXPECT_THAT(store.list_keys(tenant, ada.user_id, "", 1), SizeIs(1));
        EXPECT_FALSE(store.revoke_key(tenant, eve.user_id, first, clock.now()));
        EXPECT_FALSE(store.revoke_key(other, ada.user_id, first, clock.now()));
        EXPECT_TRUE(store.revoke_key(tenant, ada.user_id, first, clock.now()));
        EXPECT_TRUE(store.revoke_key(tenant, ada.user_id, first, clock.now() + 1h));
        EXPECT_EQ(store.find_key("k1")->revoked_at, clock.now());
        EXPECT_EQ(store.count_keys(tenant, ada.user_id), 1);
    });
}

TEST_F(AuthStoreTest, finds_a_key_by_its_hash_with_its_user) {
    const auto ada = stored_user("ada@example.com");
    const auto tenant = TenantId::make(clock.now(), random);
    const auto id = stored_key(tenant, ada, "k1");
    const auto key = in_store([](Stores& store) { return store.find_key("k1"); });
    ASSERT_TRUE(key);
    EXPECT_EQ(key->tenant_id, tenant);
    EXPECT_EQ(key->key_id, id);
    EXPECT_EQ(key->user_id, ada.user_id);
    EXPECT_EQ(key->email, "ada@example.com");
    EXPECT_FALSE(key->revoked_at);
    EXPECT_FALSE(in_store([](Stores& store) { return store.find_key("k2"); }));
}

TEST_F(AuthStoreTest, the_last_use_of_a_key_only_moves_forward) {
    const auto ada = stored_user("ada@example.com");
    const auto tenant = TenantId::make(clock.now(), random);
    const auto id = stored_key(tenant, ada, "k1");
    const auto now = clock.now();
    in_store([&](Stores& store) {
        store.set_last_used(tenant, id, now);
        store.set_last_used(tenant, id, now - 1h);
        EXPECT_EQ(store.list_keys(tenant, ada.user_id, "", 1)[0].last_used_at, now);
    });
}

TEST_F(AuthStoreTest, keeps_the_newest_revoked_keys_for_a_while) {
    const auto ada = stored_user("ada@example.com");
    const auto tenant = TenantId::make(clock.now(), random);
    const auto start = clock.now();
    for (int i = 0; i < 4; ++i) {
        const auto id = stored_key(tenant, ada, "k" + std::to_string(i));
        in_store([&](Stores& store) {
            return store.revoke_key(tenant, ada.user_id, id, start + i * 1h);
        });
    }
    stored_key(tenant, ada, "live");
    in_store([&](Stores& store) {
        store.prune_keys(tenant, ada.user_id, start + 1h, 2);
        EXPECT_FALSE(store.find_key("k0")) << "too long ago";
        EXPECT_FALSE(store.find_key("k1")) << "more than two are newer";
        EXPECT_TRUE(store.find_key("k2"));
        EXPECT_TRUE(store.find_key("k3"));
        EXPECT_TRUE(store.find_key("live"));
    });
}

TEST_F(AuthStoreTest, a_jti_is_used_once_by_an_agent_and_pruned_when_it_has_expired) {
    const auto tenant = TenantId::make(clock.now(), random);
    const auto agent = AgentId::make(clock.now(), random);
    const auto other = AgentId::make(clock.now(), random);
    const auto until = clock.now() + 1h;
    in_store([&](Stores& store) {
        EXPECT_TRUE(store.insert_assertion(tenant, {agent, "jti", until}));
        EXPECT_FALSE(store.insert_assertion(tenant, {agent, "jti", until}));
        EXPECT_TRUE(store.insert_assertion(tenant, {other, "jti", until}));
        EXPECT_EQ(store.prune_assertions(until - 1us, 10), 0);
        EXPECT_FALSE(store.insert_assertion(tenant, {agent, "jti", until}));
        EXPECT_EQ(store.prune_assertions(until, 1), 1);
        const int taken = (store.insert_assertion(tenant, {agent, "jti", until}) ? 1 : 0) +
                          (store.insert_assertion(tenant, {other, "jti", until}) ? 1 : 0);
        EXPECT_EQ(taken, 1);
    });
}

}  // namespace
}  // namespace synapsex::auth
