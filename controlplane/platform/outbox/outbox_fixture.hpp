#pragma once

// An outbox, a consumer with tables of its own in another database, and relays between them.

#include <gtest/gtest.h>

#include "controlplane/platform/leases/lease_store.hpp"
#include "controlplane/platform/leases/migrations.hpp"
#include "controlplane/platform/outbox/inbox.hpp"
#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/platform/outbox/relay.hpp"
#include "tests/support/posted_messages.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::outbox {

constexpr db::SystemScope kTest{"test"};

constexpr db::Migration kReceived[] = {
    {1, "0001_create_received",
     "CREATE TABLE received (message_id TEXT NOT NULL, sequence ${int} NOT NULL) ${strict};"}};
constexpr db::Query kReceive{
    "received.insert", "INSERT INTO received (message_id, sequence) VALUES ($1, $2)"};
constexpr db::Query kListReceived{
    "received.list", "SELECT message_id, sequence FROM received ORDER BY sequence"};
constexpr db::Query kEndLeases{"leases.end", "UPDATE platform_leases SET expires_at = 1"};

// Nothing keeps it from writing a message down twice but its inbox.
class TestConsumer final : public Consumer {
 public:
    TestConsumer(db::Database& database, Stream stream) : database_(database), stream_(stream) {}

    std::string_view name() const override {
        return stream_ == Stream::events ? "tests.events" : "tests.audit";
    }
    Stream stream() const override { return stream_; }
    Result<Done> consume(const Call& call, std::span<const NumberedMessage> messages) override {
        if (throws) throw std::runtime_error("the consumer is broken");
        if (refuses) return Problem{Kind::unavailable, "tests.refused", "no"};
        for (const auto& message : messages) seen.push_back(message.sequence);
        return database_.write(kTest, call, [&](db::Session& session) -> Result<Done> {
            for (const auto& message : messages)
                if (Inbox{session}.accept(name(), message.message_id))
                    session.execute(kReceive, message.message_id, message.sequence);
            return Done{};
        });
    }

    bool refuses = false;
    bool throws = false;
    std::vector<std::int64_t> seen{};  // numbers, as they came

 private:
    db::Database& database_;
    const Stream stream_;
};

class OutboxTest : public ::testing::Test {
 protected:
    Message add(std::string_view type = "tests.happened", MessageKind kind = MessageKind::event) {
        const News news{fresh_id(), clock.now(), type, "sub_1", R"({"a":1})", kind};
        const auto added = source->write(call, [&](db::Session& session) -> Result<Done> {
            outbox::add(session, call, news);
            return Done{};
        });
        added.value();
        Message message;
        message.message_id = news.id;
        return message;
    }
    MessageId fresh_id() { return MessageId::make(clock.now(), random); }

    leases::Lease acquire(std::string_view holder) {
        return source
            .in_write([&](db::Session& session) {
                session.execute(kEndLeases);
                return leases::LeaseStore{session}.acquire("relay", holder, std::chrono::hours{1});
            })
            .value();
    }
    Relay::Parts parts(std::vector<Consumer*> consumers) {
        return {.database = *source, .clock = clock, .metrics = metrics,
                .consumers = std::move(consumers)};
    }
    Head head() {
        return source.in_read([](db::Session& s) { return OutboxStore{s}.get_head(); });
    }
    std::int64_t count() {
        return source.in_read([](db::Session& s) { return OutboxStore{s}.count(1'000); });
    }
    // Without numbers.
    std::vector<Message> posted() { return testing::posted_messages(source); }
    std::vector<std::string> received() {
        return target.in_read([](db::Session& session) {
            std::vector<std::string> ids;
            const auto rows = session.query(kListReceived);
            for (std::size_t i = 0; i < rows.size(); ++i)
                ids.push_back(rows[i].get<std::string>("message_id"));
            return ids;
        });
    }

    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    testing::TestDatabase source{
        clock, {{"leases", leases::kMigrations}, {"outbox", kMigrations}}};
    testing::TestDatabase target{clock, {{"outbox", kMigrations}, {"tests", kReceived}}};
    Call call = Call::system("test", Deadline::never());
};

}  // namespace synapsex::outbox
