#include "controlplane/services/auth/sessions.hpp"

#include <algorithm>
#include <thread>

#include "controlplane/services/auth/auth_fixture.hpp"
#include "controlplane/services/auth/jwt.hpp"
#include "controlplane/services/auth/secrets.hpp"
#include "shared/crypto/hash.hpp"
#include "tests/support/posted_messages.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SessionsTest : public AuthFixture {
 protected:
    Result<TokenPair> refresh(const std::string& token) {
        return service.sessions().refresh(call, {RefreshToken{token}, {}});
    }
    std::string outcome_of(const std::string& token) { return code_of(refresh(token)); }
    TokenPair signed_in(const std::string& password = kPassword) {
        clock.advance(1s);
        return service.login(call, {{"ada@example.com"}, {password}}).value();
    }
    // Also where the access token has expired.
    static SessionId session_named(const TokenPair& pair) {
        return SessionId::parse(parse_jwt(pair.access_token)->claims.sid).value();
    }
    // A call with the access token of the pair.
    Call as(const TokenPair& pair) {
        auto made = call_of(pair);
        auto principal = std::make_shared<Principal>(*made.principal);
        principal->credential_id = session_named(pair).text();
        made.principal = std::move(principal);
        made.client_address = call.client_address;
        return made;
    }
    std::vector<outbox::Message> told(std::string_view type) {
        auto messages = testing::posted_messages(database);
        std::erase_if(messages, [&](const auto& each) { return each.type != type; });
        return messages;
    }
    std::vector<std::string> subjects_of(std::string_view type) {
        std::vector<std::string> subjects;
        for (const auto& each : told(type)) subjects.push_back(each.subject);
        std::ranges::sort(subjects);
        return subjects;
    }

    Call call = [] {
        auto made = nobody();
        made.client_address = "192.0.2.7";
        made.user_agent = "browser/1";
        return made;
    }();
    const TokenPair ada = registered("ada@example.com");
};

TEST_F(SessionsTest, a_token_that_is_brought_again_within_the_grace_gives_the_same_successor) {
    const auto first = refresh(ada.refresh_token).value();
    age_refreshes(kRefreshGrace - 5s);
    const auto second = refresh(ada.refresh_token);
    ASSERT_TRUE(second) << code_of(second);
    EXPECT_EQ(second->refresh_token, first.refresh_token);
    EXPECT_NE(second->access_token, first.access_token);
    EXPECT_EQ(session_named(*second), session_named(first));
    EXPECT_EQ(outcome_of(first.refresh_token), "") << "and it works";
    EXPECT_THAT(told("session.reuse_detected"), IsEmpty());
}

TEST_F(SessionsTest, a_token_that_is_brought_after_the_grace_ends_its_session_and_no_other) {
    const auto other = signed_in();
    const auto next = refresh(ada.refresh_token).value();
    age_refreshes(kRefreshGrace + 1s);
    call.client_address = "198.51.100.66";
    call.user_agent = "thief/1";
    const auto refused = refresh(ada.refresh_token);
    EXPECT_EQ(code_of(refused), "auth.refresh_reused");
    EXPECT_EQ(refused.error().kind, Kind::unauthenticated);
    EXPECT_EQ(outcome_of(next.refresh_token), "auth.refresh_invalid");
    EXPECT_EQ(outcome_of(ada.refresh_token), "auth.refresh_invalid") << "told once";
    EXPECT_EQ(outcome_of(other.refresh_token), "");

    const auto id = session_named(ada).text();
    const auto messages = told("session.reuse_detected");
    ASSERT_THAT(messages, SizeIs(1));
    EXPECT_EQ(messages[0].subject, id);
    EXPECT_EQ(messages[0].kind, outbox::MessageKind::change);
    EXPECT_EQ(messages[0].tenant_id, ada.user.tenant_id.text());
    EXPECT_EQ(messages[0].client_address, "198.51.100.66");
    EXPECT_THAT(messages[0].data, HasSubstr(R"("userAgent":"thief/1","lastAddress":"192.0.2.7")"));
    EXPECT_THAT(messages[0].data, Not(HasSubstr("rt_sx_")));
    EXPECT_THAT(subjects_of("session.ended"), ElementsAre(id));
}

TEST_F(SessionsTest, any_older_token_of_the_session_ends_it_and_a_made_up_one_does_not) {
    auto latest = refresh(ada.refresh_token).value().refresh_token;
    for (int i = 0; i < 5; ++i) latest = refresh(latest).value().refresh_token;
    age_refreshes(1h);
    const auto session = session_named(ada).text();
    EXPECT_EQ(outcome_of("rt_sx_" + random.base62(43)), "auth.refresh_invalid");
    EXPECT_EQ(outcome_of(latest), "") << "it goes on";
    EXPECT_EQ(outcome_of(ada.refresh_token), "auth.refresh_reused");
    EXPECT_THAT(subjects_of("session.ended"), ElementsAre(session));
}

TEST_F(SessionsTest, a_tab_that_is_two_behind_gets_nothing_and_ends_nothing) {
    const auto next = refresh(ada.refresh_token).value();
    const auto latest = refresh(next.refresh_token).value();
    const auto refused = refresh(ada.refresh_token);
    EXPECT_EQ(code_of(refused), "auth.refresh_superseded");
    EXPECT_EQ(refused.error().kind, Kind::conflict) << "no 401: the client keeps what it has";
    EXPECT_EQ(outcome_of(latest.refresh_token), "");
    EXPECT_EQ(outcome_of(ada.refresh_token), "auth.refresh_reused") << "three behind";
}

TEST_F(SessionsTest, refreshing_on_and_on_does_not_put_off_that_reuse_is_found) {
    auto latest = refresh(ada.refresh_token).value().refresh_token;
    for (int i = 0; i < 3; ++i) {
        age_refreshes(kRefreshGrace - 2s);
        latest = refresh(latest).value().refresh_token;
    }
    EXPECT_EQ(outcome_of(ada.refresh_token), "auth.refresh_reused");
}

TEST_F(SessionsTest, of_many_who_bring_one_token_at_once_all_get_the_same_successor) {
    // A random of its own for each: SeededRandom is for one thread.
    std::vector<Result<TokenPair>> answers(8, Problem{});
    std::vector<std::thread> tabs;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        tabs.emplace_back([&, i] {
            testing::SeededRandom own{100 + i};
            AccessTokens own_tokens{kIssuer, signing_keys, clock, own};
            Sessions replica{{*database, tenants, own_tokens, cache, clock, own}};
            answers[i] = replica.refresh(call, {RefreshToken{ada.refresh_token}, {}});
        });
    }
    for (auto& tab : tabs) tab.join();
    for (const auto& answer : answers) {
        ASSERT_TRUE(answer) << code_of(answer);
        EXPECT_EQ(answer->refresh_token, answers[0]->refresh_token);
    }
    EXPECT_EQ(outcome_of(answers[0]->refresh_token), "");
}

TEST_F(SessionsTest, what_was_sealed_for_the_grace_opens_with_the_used_token_alone) {
    const auto next = refresh(ada.refresh_token).value().refresh_token;
    constexpr db::Query kDump{"test.dump", R"sql(
        SELECT refresh_hash, family_hash, previous_hash, successor FROM auth_sessions)sql"};
    const auto dump = database.in_read([&](db::Session& session) {
        const auto rows = session.query(kDump);
        std::string text;
        for (const auto* column : {"refresh_hash", "family_hash", "previous_hash", "successor"})
            text += rows[0].get<std::string>(column) + "\n";
        return text;
    });
    EXPECT_THAT(dump, Not(HasSubstr(next.substr(6))));
    EXPECT_THAT(dump, Not(HasSubstr(std::string{family_of(next)}.substr(6))));
    EXPECT_THAT(dump, HasSubstr(crypto::sha256_hex(next)));

    EXPECT_TRUE(service.sessions().forget_successors(nobody()));
    EXPECT_EQ(refresh(ada.refresh_token)->refresh_token, next) << "not within the grace";
    age_refreshes(kRefreshGrace);
    EXPECT_TRUE(service.sessions().forget_successors(nobody()));
    const auto sealed = database.in_read([&](db::Session& session) {
        return session.query(kDump)[0].get<std::optional<std::string>>("successor");
    });
    EXPECT_FALSE(sealed);
}

TEST_F(SessionsTest, a_session_of_the_release_before_goes_on_as_a_family) {
    constexpr db::Query kBefore{"test.as_before", R"sql(
        UPDATE auth_sessions SET family_hash = NULL, signed_in_at = NULL)sql"};
    database.in_write([&](db::Session& session) { session.execute(kBefore); });
    const auto next = refresh(ada.refresh_token);
    ASSERT_TRUE(next) << code_of(next);
    EXPECT_EQ(refresh(ada.refresh_token)->refresh_token, next->refresh_token);
    age_refreshes(1h);
    EXPECT_EQ(outcome_of(ada.refresh_token), "auth.refresh_reused");
}

TEST_F(SessionsTest, what_the_release_before_has_refreshed_is_not_handed_out) {
    const auto next = refresh(ada.refresh_token).value().refresh_token;
    // It replaces the hash and knows no family.
    const std::string foreign = "rt_sx_" + random.base62(43);
    constexpr db::Query kRotate{"test.rotate_as_before", R"sql(
        UPDATE auth_sessions SET refresh_hash = $2 WHERE refresh_hash = $1)sql"};
    database.in_write([&](db::Session& session) {
        session.execute(kRotate, crypto::sha256_hex(next), crypto::sha256_hex(foreign));
    });
    EXPECT_EQ(outcome_of(ada.refresh_token), "auth.refresh_superseded");
    EXPECT_EQ(outcome_of(foreign), "");
}

TEST_F(SessionsTest, a_refresh_that_fails_on_the_way_does_not_use_the_token_up) {
    const auto places = std::exchange(tenants.places, {});
    EXPECT_EQ(outcome_of(ada.refresh_token), "auth.no_tenant");
    tenants.places = places;
    EXPECT_EQ(outcome_of(ada.refresh_token), "");
}

TEST_F(SessionsTest, are_listed_the_newest_first_with_the_one_of_the_call) {
    call.client_address = "2001:db8::7";
    call.user_agent = "phone/2";
    const auto phone = signed_in();
    clock.advance(1h);
    refresh(ada.refresh_token).value();
    const auto page = service.sessions().list(as(ada), {});
    ASSERT_TRUE(page) << code_of(page);
    ASSERT_THAT(page->items, SizeIs(2));
    EXPECT_EQ(page->items[0].id, session_named(phone));
    EXPECT_FALSE(page->items[0].is_current);
    EXPECT_EQ(page->items[0].user_agent, "phone/2");
    EXPECT_EQ(page->items[1].id, session_named(ada));
    EXPECT_TRUE(page->items[1].is_current);
    EXPECT_EQ(page->items[1].last_address, "2001:db8::7") << "of the refresh";
    EXPECT_EQ(page->items[1].last_refreshed_at, clock.now());
    EXPECT_EQ(page->items[1].signed_in_at, page->items[1].created_at) << "a refresh is no proof";
    EXPECT_EQ(page->items[1].expires_at, clock.now() + kSessionLifetime);
}

TEST_F(SessionsTest, come_in_stable_pages) {
    signed_in();
    const auto third = signed_in();
    ListSessions wish;
    wish.limit.value.value = 2;
    const auto first = service.sessions().list(as(ada), wish);
    ASSERT_THAT(first->items, SizeIs(2));
    EXPECT_EQ(first->items[0].id, session_named(third));
    wish.cursor = api::Cursor{first->next_cursor.value()};
    const auto rest = service.sessions().list(as(ada), wish);
    ASSERT_THAT(rest->items, SizeIs(1));
    EXPECT_EQ(rest->items[0].id, session_named(ada));
    EXPECT_FALSE(rest->next_cursor);
    wish.cursor = api::Cursor{api::encode_cursor("key_x")};
    EXPECT_EQ(code_of(service.sessions().list(as(ada), wish)), "request.cursor_invalid");
}

TEST_F(SessionsTest, end_at_once_and_are_a_users_own) {
    const auto phone = signed_in();
    const auto eve = registered("eve@example.com");
    auto& sessions = service.sessions();
    EXPECT_EQ(
        code_of(sessions.end(as(eve), session_named(phone))), "auth.session_not_found"
    );
    EXPECT_TRUE(sessions.end(as(ada), session_named(phone)));
    EXPECT_EQ(outcome_of(phone.refresh_token), "auth.refresh_invalid");
    EXPECT_EQ(code_of(sessions.end(as(ada), session_named(phone))), "auth.session_not_found");
    EXPECT_EQ(outcome_of(ada.refresh_token), "");
    const auto messages = told("session.ended");
    ASSERT_THAT(messages, SizeIs(1));
    EXPECT_EQ(messages[0].subject, session_named(phone).text());
    EXPECT_EQ(messages[0].data, R"({"reason":"ended_by_user"})");
    EXPECT_THAT(messages[0].actor, HasSubstr(session_named(ada).text()));
}

TEST_F(SessionsTest, signing_out_ends_the_session_of_the_call_and_may_be_repeated) {
    const auto phone = signed_in();
    EXPECT_TRUE(service.sessions().end_current(as(phone)));
    EXPECT_TRUE(service.sessions().end_current(as(phone)));
    EXPECT_EQ(outcome_of(phone.refresh_token), "auth.refresh_invalid");
    EXPECT_EQ(outcome_of(ada.refresh_token), "");
    EXPECT_THAT(told("session.ended"), SizeIs(1));
}

TEST_F(SessionsTest, signing_out_everywhere_leaves_the_current_one_if_that_is_asked_for) {
    const auto eve = registered("eve@example.com");
    const auto phone = signed_in();
    const auto kept = service.sessions().end_all(as(phone), {true});
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->sessions_ended, 1);
    EXPECT_EQ(outcome_of(ada.refresh_token), "auth.refresh_invalid");
    const auto next = refresh(phone.refresh_token).value();
    EXPECT_EQ(service.sessions().end_all(as(next), {})->sessions_ended, 1);
    EXPECT_EQ(outcome_of(next.refresh_token), "auth.refresh_invalid");
    EXPECT_EQ(outcome_of(eve.refresh_token), "");
    EXPECT_THAT(told("session.ended"), SizeIs(2));
}

TEST_F(SessionsTest, a_sign_in_is_told_and_so_is_the_session_that_it_crowds_out) {
    for (std::int64_t i = 1; i < kSessionsMax; ++i) signed_in();
    EXPECT_THAT(told("session.ended"), IsEmpty());
    EXPECT_THAT(told("session.created"), SizeIs(kSessionsMax));
    const auto last = signed_in();
    EXPECT_THAT(subjects_of("session.ended"), ElementsAre(session_named(ada).text()));
    const auto message = told("session.created").back();
    EXPECT_EQ(message.subject, session_named(last).text());
    EXPECT_EQ(message.tenant_id, ada.user.tenant_id.text());
    EXPECT_EQ(message.client_address, "192.0.2.7");
    EXPECT_THAT(message.actor, HasSubstr(ada.user.id.text()));
    EXPECT_THAT(message.data, HasSubstr(R"("userAgent":"browser/1")"));
}

class ChangingThePassword : public SessionsTest {
 protected:
    static inline const std::string kNew = "a new and long password";
    std::string change(const Call& by, const std::string& current) {
        return code_of(service.change_password(by, {{current}, {kNew}}));
    }
};

TEST_F(ChangingThePassword, ends_all_other_sessions_and_is_a_sign_in_of_this_one) {
    const auto phone = signed_in();
    const auto eve = registered("eve@example.com");
    clock.advance(1h);
    EXPECT_EQ(change(as(phone), kPassword), "");
    EXPECT_EQ(outcome_of(ada.refresh_token), "auth.refresh_invalid");
    EXPECT_EQ(outcome_of(phone.refresh_token), "");
    EXPECT_EQ(outcome_of(eve.refresh_token), "");
    EXPECT_EQ(
        code_of(service.login(call, {{"ada@example.com"}, {kPassword}})), "auth.login_failed"
    );
    const auto page = service.sessions().list(as(phone), {});
    ASSERT_THAT(page->items, SizeIs(1));
    EXPECT_EQ(page->items[0].signed_in_at, clock.now());
    EXPECT_LT(page->items[0].created_at, clock.now());
    signed_in(kNew);
    const auto messages = told("user.password_changed");
    ASSERT_THAT(messages, SizeIs(1));
    EXPECT_EQ(messages[0].subject, ada.user.id.text());
    EXPECT_EQ(messages[0].data, R"({"sessionsEnded":1})");
    EXPECT_THAT(subjects_of("session.ended"), ElementsAre(session_named(ada).text()));
}

TEST_F(ChangingThePassword, a_wrong_current_one_changes_nothing_and_counts_as_a_guess) {
    const auto refused = service.change_password(as(ada), {{"wrong"}, {kNew}});
    EXPECT_EQ(code_of(refused), "auth.password_wrong");
    EXPECT_EQ(refused.error().kind, Kind::forbidden) << "the credential is good";
    for (int i = 1; i < SignInLimits::kPair.failures_free; ++i)
        EXPECT_EQ(change(as(ada), "wrong"), "auth.password_wrong");
    EXPECT_EQ(change(as(ada), kPassword), "auth.too_many_attempts");
    EXPECT_EQ(outcome_of(ada.refresh_token), "") << "the session is not touched";
    EXPECT_THAT(told("user.password_changed"), IsEmpty());
    clock.advance(SignInLimits::kPair.first);
    EXPECT_EQ(change(as(ada), kPassword), "");
}

}  // namespace
}  // namespace synapsex::auth
