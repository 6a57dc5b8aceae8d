#include "controlplane/services/auth/session_store.hpp"

#include "controlplane/services/auth/auth_fixture.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SessionStoreTest : public AuthFixture {
 protected:
    template <class Fn>
    auto in_sessions(Fn fn) {
        return database.in_write([&](db::Session& session) {
            SessionStore store{session};
            return fn(store);
        });
    }
    UserRow stored_user(const std::string& email, UserState state = UserState::active) {
        const UserRow row{
            UserId::make(clock.now(), random), email, "hash", "Ada", state, clock.now()
        };
        in_store([&](AuthStore& store) { return store.insert_user(row); });
        return row;
    }
    SessionRow stored_session(const UserRow& of, const std::string& hash) {
        clock.advance(1s);
        SessionRow row{
            SessionId::make(clock.now(), random), of.user_id, hash, clock.now(), clock.now() + 1h,
            hash + " family", {"192.0.2.7", "place", "agent"}
        };
        in_store([&](AuthStore& store) { store.insert_session(row); });
        return row;
    }
    Rotation rotation(
        const SessionRow& of, const std::string& from, const std::string& to, Timestamp at
    ) {
        return {of.session_id, from, to, "family", "sealed " + to, at, at, at + 1h,
                {"192.0.2.8", "place 2", "agent 2"}};
    }
    std::optional<FamilyRow> find(const std::string& hash, const std::string& family) {
        return in_sessions([&](SessionStore& store) {
            return store.find_family(hash, family, clock.now(), clock.now() + 1min);
        });
    }
};

TEST_F(SessionStoreTest, prepares_every_statement) {
    EXPECT_NO_THROW(database->prepare_all(SessionStore::queries()));
}

TEST_F(SessionStoreTest, a_session_is_found_by_the_token_that_counts_and_by_its_family) {
    const auto session = stored_session(stored_user("ada@example.com"), "r1");
    const auto dead = stored_session(stored_user("b@b.c", UserState::registering), "r2");
    EXPECT_EQ(find("r1", "")->session_id, session.session_id);
    EXPECT_EQ(find("", "r1 family")->session_id, session.session_id);
    EXPECT_EQ(find("", "r1 family")->email, "ada@example.com");
    EXPECT_EQ(find("r1", "")->last_address, "192.0.2.7");
    EXPECT_FALSE(find("r1 family", "r1"));
    EXPECT_FALSE(find("r2", "r2 family")) << "no user who is active";
    clock.advance(2h);
    EXPECT_FALSE(find("r1", "")) << "expired";
}

TEST_F(SessionStoreTest, a_rotation_is_done_by_one_and_keeps_the_two_before) {
    const auto session = stored_session(stored_user("ada@example.com"), "r1");
    const auto at = clock.now();
    in_sessions([&](SessionStore& store) {
        EXPECT_TRUE(store.rotate(rotation(session, "r1", "r2", at)));
        EXPECT_FALSE(store.rotate(rotation(session, "r1", "r3", at)));
        EXPECT_TRUE(store.rotate(rotation(session, "r2", "r3", at + 1s)));
    });
    const auto row = find("", "family");
    ASSERT_TRUE(row);
    EXPECT_EQ(row->refresh_hash, "r3");
    EXPECT_EQ(row->previous_hash, "r2");
    EXPECT_EQ(row->previous_used_at, at + 1s);
    EXPECT_EQ(row->older_hash, "r1");
    EXPECT_EQ(row->older_used_at, at);
    EXPECT_EQ(row->successor, "sealed r3");
    EXPECT_EQ(row->last_address, "192.0.2.8");
    EXPECT_FALSE(find("", "r1 family"));
}

TEST_F(SessionStoreTest, what_was_sealed_is_forgotten_a_few_at_a_time) {
    const auto ada = stored_user("ada@example.com");
    const auto first = stored_session(ada, "a1");
    const auto second = stored_session(ada, "b1");
    const auto at = clock.now();
    in_sessions([&](SessionStore& store) {
        store.rotate(rotation(first, "a1", "a2", at));
        store.rotate(rotation(second, "b1", "b2", at + 1s));
        EXPECT_EQ(store.forget_successors(at - 1us, 10), 0);
        EXPECT_EQ(store.forget_successors(at + 1s, 1), 1);
        EXPECT_FALSE(store.find_family("a2", "", at, at + 1min)->successor);
        EXPECT_TRUE(store.find_family("b2", "", at, at + 1min)->successor);
        EXPECT_EQ(store.forget_successors(at + 1s, 10), 1);
    });
}

TEST_F(SessionStoreTest, lists_those_of_one_user_that_count_the_newest_first) {
    const auto ada = stored_user("ada@example.com");
    const auto first = stored_session(ada, "r1");
    const auto second = stored_session(ada, "r2");
    stored_session(stored_user("eve@example.com"), "r3");
    const auto now = clock.now();
    in_sessions([&](SessionStore& store) {
        const auto all = store.list(ada.user_id, "", now, now, 10);
        ASSERT_THAT(all, SizeIs(2));
        EXPECT_EQ(all[0].id, second.session_id);
        EXPECT_EQ(all[1].id, first.session_id);
        EXPECT_EQ(all[1].created_at, first.created_at);
        EXPECT_EQ(all[1].signed_in_at, first.created_at);
        EXPECT_EQ(all[1].last_refreshed_at, first.created_at);
        EXPECT_EQ(all[1].expires_at, first.expires_at);
        EXPECT_EQ(all[1].last_address, "192.0.2.7");
        EXPECT_EQ(all[1].user_agent, "agent");
        EXPECT_THAT(store.list(ada.user_id, "", now, now, 1), SizeIs(1));
        EXPECT_THAT(store.list(ada.user_id, second.session_id.text(), now, now, 10), SizeIs(1));
        EXPECT_THAT(store.list(ada.user_id, "", first.expires_at, now, 10), SizeIs(1));
        EXPECT_THAT(store.list(ada.user_id, "", now, first.created_at, 10), SizeIs(1));
        store.set_signed_in(first.session_id, now + 5s);
        EXPECT_EQ(store.list(ada.user_id, "", now, now, 10)[1].signed_in_at, now + 5s);
    });
}

TEST_F(SessionStoreTest, ends_one_or_all_others_of_a_user_and_never_those_of_another) {
    const auto ada = stored_user("ada@example.com");
    const auto eve = stored_user("eve@example.com");
    const auto first = stored_session(ada, "r1");
    const auto second = stored_session(ada, "r2");
    const auto third = stored_session(ada, "r3");
    const auto of_eve = stored_session(eve, "r4");
    in_sessions([&](SessionStore& store) {
        EXPECT_FALSE(store.end(eve.user_id, first.session_id));
        EXPECT_TRUE(store.end(ada.user_id, first.session_id));
        EXPECT_FALSE(store.end(ada.user_id, first.session_id));
        EXPECT_THAT(
            store.end_others(ada.user_id, second.session_id.text()), ElementsAre(third.session_id)
        );
        EXPECT_THAT(store.end_others(ada.user_id, ""), ElementsAre(second.session_id));
        EXPECT_THAT(store.end_others(eve.user_id, ""), ElementsAre(of_eve.session_id));
    });
}

TEST_F(SessionStoreTest, a_user_is_at_home_where_a_session_was_last) {
    const auto ada = stored_user("ada@example.com");
    const auto session = stored_session(ada, "r1");
    stored_user("eve@example.com");
    const auto now = clock.now();
    in_sessions([&](SessionStore& store) {
        EXPECT_TRUE(store.has_session_at("ada@example.com", "place", now));
        EXPECT_FALSE(store.has_session_at("ada@example.com", "place", session.expires_at));
        EXPECT_FALSE(store.has_session_at("ada@example.com", "elsewhere", now));
        EXPECT_FALSE(store.has_session_at("eve@example.com", "place", now));
        EXPECT_FALSE(store.has_session_at("nobody@example.com", "place", now));
        store.rotate(rotation(session, "r1", "r2", now));
        EXPECT_FALSE(store.has_session_at("ada@example.com", "place", now));
        EXPECT_TRUE(store.has_session_at("ada@example.com", "place 2", now));
    });
}

TEST_F(SessionStoreTest, of_two_locks_the_later_stays_until_it_is_forgotten) {
    const auto now = clock.now();
    in_sessions([&](SessionStore& store) {
        store.put_lock({"a", 5, now}, now + 1h);
        store.put_lock({"a", 4, now - 1s}, now + 2h);
        store.put_lock({"b", 7, now}, now + 2h);
        const auto rows = store.find_locks("a", "x", "y");
        ASSERT_THAT(rows, SizeIs(1));
        EXPECT_EQ(rows[0].failures, 5);
        EXPECT_EQ(rows[0].failed_at, now);
        store.put_lock({"a", 6, now + 1s}, now + 1h);
        EXPECT_EQ(store.find_locks("a", "x", "y")[0].failures, 6);
        EXPECT_THAT(store.find_locks("b", "a", "y"), SizeIs(2));
        EXPECT_EQ(store.prune_locks(now + 1h - 1us, 10), 0);
        EXPECT_EQ(store.prune_locks(now + 2h, 1), 1);
        EXPECT_THAT(store.find_locks("b", "a", "y"), SizeIs(1));
        store.remove_lock("b");
        EXPECT_THAT(store.find_locks("b", "a", "y"), IsEmpty());
    });
}

}  // namespace
}  // namespace synapsex::auth
