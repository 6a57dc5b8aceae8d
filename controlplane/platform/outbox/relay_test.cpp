#include <algorithm>
#include <latch>
#include <thread>

#include "controlplane/platform/outbox/relay_fixture.hpp"

namespace synapsex::outbox {
namespace {

TEST_F(RelayTest, gives_numbers_without_a_gap_and_hands_each_message_on_once) {
    const auto ids = add_some(5);
    const auto lease = acquire("a");
    EXPECT_TRUE(run(lease));
    EXPECT_EQ(head().sequence, 5);
    EXPECT_EQ(received().size(), 5U);
    EXPECT_EQ(count(), 0) << "removed, once consumed";
    EXPECT_TRUE(run(lease));
    EXPECT_EQ(received().size(), 5U);
    EXPECT_EQ(received(), ids) << "in the order in which they were committed";
}

TEST_F(RelayTest, goes_on_through_more_than_one_batch) {
    add_some(12);
    auto few = parts({&consumer});
    few.limits.batch = 5;
    EXPECT_TRUE(Relay(few, "main").run(call, acquire("a")));
    EXPECT_EQ(received().size(), 12U);
    EXPECT_EQ(count(), 0);
    EXPECT_NE(metrics.render().find("synapsex_outbox_delivered_total{database=\"main\"} 12"),
              std::string::npos) << "each once, even where batches meet";
}

TEST_F(RelayTest, chains_the_messages_so_that_a_change_shows) {
    add_some(3);
    auto nobody = parts({});
    EXPECT_TRUE(Relay(nobody, "main").run(call, acquire("a")));
    const auto messages = source.in_read([](db::Session& session) {
        return OutboxStore{session}.read_after(Stream::events, 0, 10);
    });
    ASSERT_EQ(messages.size(), 3U);
    EXPECT_EQ(messages[0].prev_hash, "");
    EXPECT_EQ(messages[1].prev_hash, messages[0].hash);
    EXPECT_EQ(messages[2].prev_hash, messages[1].hash);
    EXPECT_EQ(head().hash, messages[2].hash);
    EXPECT_NE(messages[0].hash, messages[1].hash);
}

TEST_F(RelayTest, keeps_what_a_consumer_refuses_and_brings_it_again) {
    const auto ids = add_some(2);
    const auto lease = acquire("a");
    consumer.refuses = true;
    const auto refused = run(lease);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "tests.refused");
    EXPECT_EQ(count(), 2);
    consumer.refuses = false;
    EXPECT_TRUE(run(lease));
    EXPECT_EQ(received().size(), 2U);
    EXPECT_EQ(count(), 0);
}

TEST_F(RelayTest, a_consumer_that_refuses_does_not_keep_another_from_its_messages) {
    add("tests.changed", MessageKind::change);
    TestConsumer audit{*target, Stream::audit};
    consumer.refuses = true;
    Relay relay{parts({&consumer, &audit}), "main"};
    const auto lease = acquire("a");
    EXPECT_FALSE(relay.run(call, lease));
    EXPECT_EQ(received().size(), 1U);
    EXPECT_EQ(count(), 1) << "the events' consumer has not had it";
    consumer.refuses = false;
    EXPECT_TRUE(relay.run(call, lease));
    EXPECT_EQ(received().size(), 2U);
    EXPECT_EQ(count(), 0);
}

TEST_F(RelayTest, a_consumer_that_throws_does_not_keep_another_from_its_messages) {
    add("tests.changed", MessageKind::change);
    TestConsumer audit{*target, Stream::audit};
    consumer.throws = true;
    const auto failed = Relay(parts({&consumer, &audit}), "main").run(call, acquire("a"));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, "outbox.consumer_failed");
    EXPECT_EQ(received().size(), 1U);
}

TEST_F(RelayTest, keeps_messages_that_have_no_consumer_up_to_the_cap) {
    auto capped = parts({&consumer});
    capped.limits.kept_max = 5;
    Relay relay{capped, "main"};
    const auto lease = acquire("a");
    add_some(1);
    for (int i = 0; i < 7; ++i) {
        add("tests.audited", MessageKind::audit);
        EXPECT_TRUE(relay.run(call, lease));
    }
    EXPECT_EQ(count(), 7);
    EXPECT_TRUE(relay.measure(call));
    EXPECT_TRUE(relay.run(call, lease));
    EXPECT_EQ(count(), 5);
    EXPECT_TRUE(relay.run(call, lease));
    EXPECT_EQ(count(), 5);
    EXPECT_NE(metrics.render().find("synapsex_outbox_dropped_total{database=\"main\"} 2"),
              std::string::npos);
}

TEST_F(RelayTest, comes_down_to_the_cap_in_one_run_however_many_batches_it_is) {
    const auto lease = acquire("a");
    for (int i = 0; i < 27; ++i) {
        add("tests.audited", MessageKind::audit);
        ASSERT_TRUE(Relay(parts({}), "other").run(call, lease));
    }
    auto capped = parts({});
    capped.limits.kept_max = 5;
    capped.limits.batch = 4;
    Relay relay{capped, "main"};
    EXPECT_TRUE(relay.measure(call));
    EXPECT_NE(metrics.render().find("synapsex_outbox_messages{database=\"main\"} 9"),
              std::string::npos) << "counted up to the cap and a batch";
    EXPECT_TRUE(relay.run(call, lease));
    EXPECT_EQ(numbers(), (std::vector<std::int64_t>{23, 24, 25, 26, 27}));
    const auto text = metrics.render();
    EXPECT_NE(text.find("synapsex_outbox_dropped_total{database=\"main\"} 22"), std::string::npos);
    EXPECT_NE(text.find("synapsex_outbox_messages{database=\"main\"} 5"), std::string::npos);
}

TEST_F(RelayTest, steps_go_whole_and_leave_the_cap_or_a_step_more) {
    for (int i = 0; i < 27; ++i) add("tests.audited", MessageKind::audit);
    auto capped = parts({});
    capped.limits.kept_max = 5;
    capped.limits.batch = 4;
    EXPECT_TRUE(Relay(capped, "main").run(call, acquire("a")));
    // Steps of 4, and one of 3 at the end.
    EXPECT_EQ(numbers(), (std::vector<std::int64_t>{21, 22, 23, 24, 25, 26, 27}));
}

TEST_F(RelayTest, is_a_batch_beyond_the_cap_at_most_without_being_measured) {
    const auto lease = acquire("a");
    auto capped = parts({});
    capped.limits.kept_max = 5;
    capped.limits.batch = 4;
    Relay relay{capped, "main"};
    for (int i = 0; i < 30; ++i) {
        add("tests.audited", MessageKind::audit);
        EXPECT_TRUE(relay.run(call, lease));
        EXPECT_LT(count(), 5 + 4);
    }
    for (int i = 0; i < 32; ++i) add("tests.audited", MessageKind::audit);
    EXPECT_TRUE(relay.run(call, lease));
    EXPECT_EQ(count(), 8) << "two steps of four, of all that came at once";
}

TEST_F(RelayTest, a_batch_is_what_was_committed_together_or_more) {
    source.in_write([&](db::Session& session) {
        for (int i = 0; i < 7; ++i)
            outbox::add(session, call, {fresh_id(), clock.now(), "tests.many", "sub_1", "{}",
                                        i % 2 ? MessageKind::change : MessageKind::event});
    });
    add_some(2);
    auto few = parts({&consumer});
    few.limits.batch = 3;
    std::vector<std::string> steps;
    few.on_step = [&](std::string_view step) { steps.emplace_back(step); };
    EXPECT_TRUE(Relay(few, "main").run(call, acquire("a")));
    EXPECT_EQ(std::ranges::count(steps, "numbered"), 2);
    EXPECT_EQ(std::ranges::count(steps, "consumed"), 2);
    EXPECT_EQ(received().size(), 9U);
    EXPECT_EQ(consumer.seen, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_EQ(numbers(), (std::vector<std::int64_t>{2, 4, 6})) << "the changes' audit records";
}

TEST_F(RelayTest, a_consumer_gets_its_stream_and_nothing_else) {
    auto few = parts({&consumer});
    few.limits.batch = 2;
    for (const auto kind :
         {MessageKind::audit, MessageKind::usage, MessageKind::audit, MessageKind::event,
          MessageKind::usage, MessageKind::change, MessageKind::audit, MessageKind::event})
        add("tests.mixed", kind);
    EXPECT_TRUE(Relay(few, "main").run(call, acquire("a")));
    EXPECT_EQ(consumer.seen, (std::vector<std::int64_t>{4, 6, 8}));
}

TEST_F(RelayTest, a_batch_ends_where_its_size_does) {
    for (int i = 0; i < 4; ++i) add();
    auto small = parts({&consumer});
    small.limits.batch_size = 1;
    std::vector<std::string> steps;
    small.on_step = [&](std::string_view step) { steps.emplace_back(step); };
    EXPECT_TRUE(Relay(small, "main").run(call, acquire("a")));
    EXPECT_EQ(std::ranges::count(steps, "numbered"), 4);
    EXPECT_EQ(std::ranges::count(steps, "consumed"), 4);
    EXPECT_EQ(received().size(), 4U);
}

TEST_F(RelayTest, messages_of_an_earlier_release_come_first_and_in_their_order) {
    std::vector<std::string> ids;
    for (int i = 0; i < 5; ++i) ids.push_back(fresh_id().text());
    std::ranges::sort(ids);
    // One that was numbered, as those without a number were not, before those with smaller ids.
    std::ranges::rotate(ids, ids.begin() + 4);
    add_earlier(ids.front(), 1);
    for (std::size_t i = 1; i < ids.size(); ++i) add_earlier(ids[i], std::nullopt);
    ids.push_back(add().message_id.text());
    auto few = parts({&consumer});
    few.limits.batch = 2;
    Relay relay{few, "main"};
    EXPECT_TRUE(relay.run(call, acquire("a")));
    EXPECT_EQ(received(), ids);
    EXPECT_EQ(head().sequence, 6);
    // While both releases run it leaves more; it is looked for when all is measured.
    add_earlier(fresh_id().text(), std::nullopt);
    EXPECT_TRUE(relay.measure(call));
    EXPECT_TRUE(relay.run(call, acquire("a")));
    EXPECT_EQ(received().size(), 7U);
    EXPECT_EQ(count(), 0);
}

TEST_F(RelayTest, beyond_the_cap_the_oldest_go_whatever_their_kind) {
    const auto lease = acquire("a");
    consumer.refuses = true;
    auto capped = parts({&consumer});
    capped.limits.kept_max = 6;
    Relay relay{capped, "main"};
    // Numbered one by one: the order in which they are written.
    for (const auto kind :
         {MessageKind::event, MessageKind::usage, MessageKind::audit, MessageKind::change,
          MessageKind::audit, MessageKind::usage, MessageKind::change, MessageKind::audit,
          MessageKind::usage}) {
        add("tests.mixed", kind);
        EXPECT_FALSE(relay.run(call, lease));
    }
    EXPECT_TRUE(relay.measure(call));
    EXPECT_FALSE(relay.run(call, lease));
    // Events and changes wait for their consumer; of the others the first three have gone.
    EXPECT_EQ(numbers(), (std::vector<std::int64_t>{1, 4, 6, 7, 8, 9}));
}

TEST_F(RelayTest, what_a_consumer_had_and_another_stream_has_not_goes_in_the_order_of_numbers) {
    const auto lease = acquire("a");
    auto capped = parts({&consumer});
    capped.limits.kept_max = 3;
    Relay relay{capped, "main"};
    for (const auto kind :
         {MessageKind::audit, MessageKind::change, MessageKind::usage, MessageKind::change,
          MessageKind::audit}) {
        add("tests.mixed", kind);
        EXPECT_TRUE(relay.run(call, lease));
    }
    EXPECT_TRUE(relay.measure(call));
    EXPECT_TRUE(relay.run(call, lease));
    EXPECT_EQ(numbers(), (std::vector<std::int64_t>{3, 4, 5}));
}

// A relay remembers up to where it has removed; one that comes to it anew looks at all.
TEST_F(RelayTest, removes_what_was_consumed_whichever_relay_had_it_and_in_whatever_order) {
    TestConsumer audit{*target, Stream::audit};
    Relay first{parts({&consumer, &audit}), "main"};
    for (int round = 0; round < 3; ++round) {
        SCOPED_TRACE(round);
        add("tests.changed", MessageKind::change);
        add("tests.audited", MessageKind::audit);
        add("tests.used", MessageKind::usage);
        audit.refuses = round != 2;
        consumer.refuses = round == 1;
        (void)first.run(call, acquire("a"));
    }
    EXPECT_EQ(numbers(), (std::vector<std::int64_t>{3, 6, 9})) << "what nobody consumes";
    // Consumed, and not removed: its relay died in between.
    add("tests.audited", MessageKind::audit);
    auto dying = parts({&consumer, &audit});
    dying.on_step = [](std::string_view step) {
        if (step == "noted") throw std::runtime_error("it dies");
    };
    EXPECT_THROW((void)Relay(dying, "main").run(call, acquire("b")), std::runtime_error);
    EXPECT_EQ(numbers(), (std::vector<std::int64_t>{3, 6, 9, 10}));
    EXPECT_TRUE(first.run(call, acquire("a")));
    EXPECT_EQ(numbers(), (std::vector<std::int64_t>{3, 6, 9}));
}

TEST_F(RelayTest, never_drops_what_a_consumer_is_to_have) {
    add_some(4);
    consumer.refuses = true;
    auto capped = parts({&consumer});
    capped.limits.kept_max = 1;
    Relay relay{capped, "main"};
    const auto lease = acquire("a");
    EXPECT_FALSE(relay.run(call, lease));
    EXPECT_TRUE(relay.measure(call));
    EXPECT_FALSE(relay.run(call, lease));
    EXPECT_EQ(count(), 4);
}

TEST_F(RelayTest, tells_how_long_the_oldest_message_waits) {
    EXPECT_TRUE(Relay(parts({&consumer}), "main").measure(call));
    const News old{fresh_id(), clock.now() - std::chrono::minutes{5}, "tests.old", "sub_1"};
    source.in_write([&](db::Session& session) { outbox::add(session, call, old); });
    add();  // a moment ago
    Relay relay{parts({&consumer}), "main"};
    for (const bool is_numbered : {false, true}) {
        SCOPED_TRACE(is_numbered);
        const auto lags = relay.measure(call);
        ASSERT_FALSE(lags);
        EXPECT_EQ(lags.error().code, "outbox.lags");
        EXPECT_TRUE(Relay(parts({}), "other").run(call, acquire("a")));
    }
    EXPECT_TRUE(relay.run(call, acquire("a")));
    EXPECT_TRUE(relay.measure(call));
}

TEST_F(RelayTest, a_relay_that_lost_its_lease_changes_nothing) {
    add_some(3);
    const auto lost = acquire("a");
    const auto held = acquire("b");
    const auto late = run(lost);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, "lease.lost");
    EXPECT_EQ(head().sequence, 0);
    EXPECT_TRUE(received().empty());
    EXPECT_TRUE(run(held));
    EXPECT_EQ(head().sequence, 3);
}

// As after SIGSTOP and SIGCONT: it has read its batch, and another has gone on in the meantime.
TEST_F(RelayTest, one_that_was_stopped_in_the_middle_doubles_nothing) {
    for (const std::string_view stopped_at : {"numbered", "read", "consumed"}) {
        SCOPED_TRACE(stopped_at);
        add_some(3);
        const auto before = received().size();
        const auto lease = acquire("a");
        auto stopping = parts({&consumer});
        stopping.on_step = [&](std::string_view step) {
            if (step != stopped_at) return;
            EXPECT_TRUE(run(acquire("b")));
            add_some(1);  // for another to number
        };
        const auto late = Relay(stopping, "main").run(call, lease);
        ASSERT_FALSE(late);
        EXPECT_EQ(late.error().code, "lease.lost");
        EXPECT_TRUE(run(acquire("c")));
        EXPECT_EQ(received().size(), before + 4);
        EXPECT_EQ(head().sequence, static_cast<std::int64_t>(received().size()));
        EXPECT_EQ(count(), 0);
    }
}

// What PostgreSQL alone can do: the smaller id is committed after the larger one was handed on.
TEST_F(RelayTest, does_not_miss_what_was_written_first_and_commits_last) {
    if (!source.is_postgres()) GTEST_SKIP() << "SQLite has one writer";
    // As Session::append, which writes last, does it: but in the middle of a transaction.
    static constexpr db::Query kPost{"test.post", R"sql(
        INSERT INTO platform_outbox_posted (tenant_id, messages, size, lines)
        VALUES ('', 1, length($1), $1))sql"};
    const auto lease = acquire("a");
    Message first;
    first.message_id = fresh_id();
    first.kind = MessageKind::event;
    std::latch is_written{1};
    std::latch may_commit{1};
    std::thread slow{[&] {
        source.in_write([&](db::Session& session) {
            session.execute(kPost, posted_line(first) + '\n');
            is_written.count_down();
            may_commit.wait();
        });
    }};
    is_written.wait();
    // A change stays, numbered: nobody consumes it as an audit record.
    const auto second = add("tests.changed", MessageKind::change).message_id.text();
    EXPECT_TRUE(run(lease));
    EXPECT_EQ(received(), std::vector{second});
    may_commit.count_down();
    slow.join();
    EXPECT_TRUE(run(lease));
    EXPECT_EQ(received(), (std::vector{second, first.message_id.text()}));
    EXPECT_EQ(head().sequence, 2);
}

// A transaction of no tenant has the empty text for its own.
TEST_F(RelayTest, numbered_messages_are_shown_to_no_tenant_and_to_no_call_without_one) {
    if (!source.is_postgres()) GTEST_SKIP() << "SQLite has no row level security";
    static constexpr db::Query kCount{
        "test.count", "SELECT count(*) AS rows FROM platform_outbox_numbered"};
    add();
    EXPECT_TRUE(Relay(parts({}), "main").run(call, acquire("a")));
    const auto rows = [&](const Call& as) {
        const auto counted = source->read(as, [](db::Session& session) -> Result<std::int64_t> {
            return session.query(kCount)[0].get<std::int64_t>("rows");
        });
        return counted.value();
    };
    EXPECT_EQ(rows(call), 0);
    EXPECT_EQ(rows(call.of_tenant(TenantId::make(clock.now(), random))), 0);
    EXPECT_EQ(count(), 1);
}

}  // namespace
}  // namespace synapsex::outbox
