#include "controlplane/platform/outbox/outbox.hpp"

#include "controlplane/platform/outbox/earlier_outbox.hpp"
#include "controlplane/platform/outbox/outbox_fixture.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::outbox {
namespace {

class MessageTest : public OutboxTest {
 protected:
    Message only_message() {
        const auto messages = posted();
        EXPECT_EQ(messages.size(), 1U);
        return messages.at(0);
    }
    Call call_of(Principal principal) {
        Call made = call;
        made.request_id = "req_1";
        made.client_address = "192.0.2.7";
        made.argument_digest = "abc";
        made.principal = std::make_shared<const Principal>(std::move(principal));
        return made;
    }
    void write(const Call& as) {
        const News news{fresh_id(), clock.now(), "tests.changed", "sub_1", R"({"b":2})"};
        source.in_write([&](db::Session& session) { outbox::add(session, as, news); });
    }
};

TEST_F(MessageTest, tells_what_happened_and_who_asked) {
    Principal principal{.kind = PrincipalKind::api_key, .credential_id = "key_1"};
    principal.user = UserId::make(clock.now(), random);
    auto as = call_of(principal);
    as.tenant = TenantId::make(clock.now(), random);
    write(as);
    const auto message = only_message();
    EXPECT_EQ(message.tenant_id, as.tenant.text());
    EXPECT_EQ(message.kind, MessageKind::change);
    EXPECT_EQ(message.type, "tests.changed");
    EXPECT_EQ(message.subject, "sub_1");
    EXPECT_EQ(message.data, R"({"b":2})");
    EXPECT_EQ(message.actor, R"([{"type":"user","id":")" + principal.user.text() +
                                 R"("},{"type":"api_key","id":"key_1"}])");
    EXPECT_EQ(message.request_id, "req_1");
    EXPECT_EQ(message.client_address, "192.0.2.7");
    EXPECT_EQ(message.argument_digest, "abc");
    EXPECT_EQ(message.schema_version, 1);
}

TEST_F(MessageTest, names_whoever_acts) {
    EXPECT_EQ(head().sequence, 0);
    struct Case {
        PrincipalKind kind;
        const char* credential_id;
        std::string_view actor;
    };
    constexpr Case kCases[] = {
        {PrincipalKind::anonymous, "ses_1", "[]"},
        {PrincipalKind::system, "", R"([{"type":"system","id":""}])"},
        {PrincipalKind::system, "olive (uid 1000)",
         R"x([{"type":"local_operator","id":"olive (uid 1000)"}])x"},
        {PrincipalKind::agent, "ses_1", R"([{"type":"agent","id":""}])"},
        {PrincipalKind::user, "ses_1",
         R"([{"type":"user","id":""},{"type":"session","id":"ses_1"}])"},
    };
    std::vector<std::string> expected;
    for (const auto& [kind, credential_id, actor] : kCases) {
        write(call_of({.kind = kind, .credential_id = credential_id}));
        expected.emplace_back(actor);
    }
    std::vector<std::string> actors;
    for (const auto& message : posted()) actors.push_back(message.actor);
    EXPECT_EQ(actors, expected) << "in the order in which they were committed";
}

TEST_F(MessageTest, is_not_there_if_the_change_is_undone) {
    const News news{fresh_id(), clock.now(), "tests.changed", "sub_1"};
    const auto refused = source->write(call, [&](db::Session& session) -> Result<Done> {
        outbox::add(session, call, news);
        return Problem{Kind::conflict, "tests.refused", "no"};
    });
    EXPECT_FALSE(refused);
    EXPECT_EQ(count(), 0);
}

TEST_F(MessageTest, a_disk_that_is_critically_full_leaves_out_events_and_nothing_else) {
    const auto write_all = [&] {
        source.in_write([&](db::Session& session) {
            for (const auto kind : {MessageKind::change, MessageKind::event, MessageKind::audit,
                                    MessageKind::usage}) {
                News news{fresh_id(), clock.now(), "tests.changed", "sub_1"};
                news.kind = kind;
                outbox::add(session, call, news);
            }
        });
    };
    source->set_room(db::Room::low);
    write_all();
    EXPECT_EQ(count(), 4);
    source->set_room(db::Room::critical);
    write_all();
    EXPECT_EQ(count(), 7);
}

TEST_F(MessageTest, every_statement_is_right_on_this_engine) {
    source->prepare_all(OutboxStore::queries());
    source->prepare_all(EarlierOutbox::queries());
    source->prepare_all(Inbox::queries());
}

TEST_F(MessageTest, an_inbox_takes_a_message_once_for_each_consumer) {
    const auto id = fresh_id();
    const auto accept = [&](std::string_view consumer) {
        return target.in_write([&](db::Session& s) { return Inbox{s}.accept(consumer, id); });
    };
    EXPECT_TRUE(accept("a"));
    EXPECT_FALSE(accept("a"));
    EXPECT_TRUE(accept("b"));
    const auto prune = [&](Timestamp before) {
        return target.in_write([&](db::Session& s) { return Inbox{s}.prune(before, 1); });
    };
    EXPECT_EQ(prune(clock.now() - std::chrono::hours{1}), 0) << "they may come again";
    EXPECT_EQ(prune(clock.now() + std::chrono::hours{1}), 1);
}

TEST_F(MessageTest, comes_out_of_its_line_as_it_went_in) {
    NumberedMessage message;
    message.sequence = 17;
    message.prev_hash = std::string(64, 'a');
    message.message_id = fresh_id();
    message.tenant_id = "ten_1";
    message.kind = MessageKind::usage;
    message.type = "tests.\"quoted\"\n";
    message.subject = "two words";
    message.subject_version = 3;
    message.occurred_at = clock.now();
    message.actor = R"([{"type":"user","id":"usr_1"}])";
    message.on_behalf_of = "x";
    message.request_id = "req_1";
    message.decision_id = "dec_1";
    message.argument_digest = "abc";
    message.client_address = "2001:db8::1";
    message.schema_version = 0;
    message.data = "{\"a\":\n[1.0,\"\u00e9\"]}";
    const auto same = [](const Message& a, const Message& b) {
        bool equal = true;
        for_each_member<Message>([&](std::string_view, std::string_view, auto member) {
            equal = equal && a.*member == b.*member;
        });
        return equal;
    };
    const auto posted = posted_line(message);
    EXPECT_EQ(posted.find('\n'), posted.npos);
    EXPECT_TRUE(same(parse_posted_line(posted), message));
    const auto line = numbered_line(
        message.sequence, message.prev_hash, std::string_view{posted}.substr(sizeof "usage")
    );
    const auto numbered = parse_numbered_line(line);
    EXPECT_TRUE(same(numbered, message));
    EXPECT_EQ(numbered.sequence, 17);
    EXPECT_EQ(numbered.prev_hash, message.prev_hash);
    EXPECT_EQ(numbered.hash, crypto::sha256_hex(line));
}

TEST_F(MessageTest, a_line_of_a_newer_release_is_read_and_a_broken_one_is_not) {
    Message message;
    message.message_id = fresh_id();
    message.type = "tests.new";
    const auto known = posted_line(message);
    auto newer = known;
    newer.insert(newer.find('{') + 1, R"("whatIsThis":[{"a":true}],)");
    EXPECT_EQ(parse_posted_line(newer).type, "tests.new");
    for (const std::string_view broken : {"", "change", "change {", "change []",
                                          R"(change {"kind":"rumour"})", R"(change {"type":7})"})
        EXPECT_THROW(parse_posted_line(broken), db::DatabaseError) << broken;
    const auto json = known.substr(known.find('{'));
    for (const auto& broken : {json, "x  " + json, "1x  " + json, std::string{"1 "}})
        EXPECT_THROW(parse_numbered_line(broken), db::DatabaseError) << broken;
}

TEST_F(MessageTest, with_broken_text_undoes_its_change) {
    for (const auto& broken : {std::string{"\xff"}, std::string{"a\0b", 3}}) {
        News news{fresh_id(), clock.now(), "tests.changed", "sub_1"};
        news.data = broken;
        EXPECT_THROW(
            source.in_write([&](db::Session& session) { outbox::add(session, call, news); }),
            db::DatabaseError
        );
    }
    EXPECT_EQ(count(), 0);
}

TEST_F(MessageTest, text_that_moves_from_one_member_to_the_next_makes_another_line) {
    Message one;
    one.type = "a\",\"subject\":\"b";
    Message other;
    other.type = "a";
    other.subject = "b";
    EXPECT_NE(posted_line(one), posted_line(other));
}

}  // namespace
}  // namespace synapsex::outbox
