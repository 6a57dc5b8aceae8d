#include "controlplane/services/audit/recorder.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "controlplane/platform/db/database_url.hpp"
#include "controlplane/services/audit/audit_fixture.hpp"
#include "tests/support/dying_process.hpp"

namespace synapsex::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAreArray;

using Numbers = std::vector<std::int64_t>;

class RecorderTest : public AuditTest {
 protected:
    outbox::NumberedMessage message(const std::string& of_tenant) {
        outbox::NumberedMessage made;
        made.message_id = fresh_id();
        made.tenant_id = of_tenant;
        made.type = "tests.happened";
        made.occurred_at = clock.now();
        made.actor = "[]";
        made.data = "{}";
        return made;
    }
    std::vector<outbox::NumberedMessage> some_messages(std::size_t count) {
        std::vector<outbox::NumberedMessage> all;
        for (std::size_t i = 0; i < count; ++i) all.push_back(message(tenant.text()));
        return all;
    }
};

Numbers first_numbers(std::size_t count) {
    Numbers numbers;
    for (std::size_t i = 1; i <= count; ++i) numbers.push_back(static_cast<std::int64_t>(i));
    return numbers;
}

TEST_F(RecorderTest, every_query_is_understood_by_the_engine) {
    EXPECT_NO_THROW(books->prepare_all(AuditStore::queries()));
}

TEST_F(RecorderTest, each_tenant_has_numbers_of_its_own_and_the_installation_too) {
    const auto first = tell(call_of(tenant), "tests.first");
    tell(call_of(stranger), "tests.other");
    tell(call, "tests.of_the_installation");
    const auto second = tell(call_of(tenant), "tests.second");
    EXPECT_TRUE(relay());
    EXPECT_THAT(ids(tenant), ElementsAre(first, second));
    EXPECT_THAT(numbers(tenant), ElementsAre(1, 2));
    EXPECT_THAT(numbers(stranger), ElementsAre(1));
    EXPECT_THAT(numbers(std::nullopt), ElementsAre(1));
    const auto third = tell(call_of(tenant), "tests.third");
    EXPECT_TRUE(relay());
    EXPECT_THAT(ids(tenant), ElementsAre(first, second, third));
    EXPECT_THAT(numbers(tenant), ElementsAre(1, 2, 3));
}

TEST_F(RecorderTest, takes_changes_and_audit_records_and_no_mere_events) {
    add("tests.event", outbox::MessageKind::event);
    add("tests.usage", outbox::MessageKind::usage);
    add("tests.change", outbox::MessageKind::change);
    add("tests.audit", outbox::MessageKind::audit);
    EXPECT_TRUE(relay());
    EXPECT_THAT(numbers(std::nullopt), ElementsAre(1, 2));
}

TEST_F(RecorderTest, what_comes_again_leaves_neither_a_second_entry_nor_a_gap) {
    auto messages = some_messages(5);
    EXPECT_TRUE(recorder.consume(call, std::span{messages}.first(3)));
    EXPECT_TRUE(recorder.consume(call, messages));
    EXPECT_TRUE(recorder.consume(call, messages));
    EXPECT_EQ(numbers(tenant), first_numbers(5));
    messages.push_back(message(tenant.text()));
    EXPECT_TRUE(recorder.consume(call, messages));
    EXPECT_EQ(numbers(tenant), first_numbers(6));
}

TEST_F(RecorderTest, many_messages_take_several_transactions_and_keep_their_order) {
    const auto messages = some_messages(450);
    EXPECT_TRUE(recorder.consume(call, messages));
    std::vector<std::string> expected;
    for (const auto& each : messages) expected.push_back(each.message_id.text());
    EXPECT_EQ(ids(tenant), expected);
    EXPECT_EQ(numbers(tenant), first_numbers(450));
}

TEST_F(RecorderTest, data_beyond_its_limit_is_left_out_and_its_size_is_told) {
    const auto small = tell(call_of(tenant), "tests.small", R"({"name":"robot"})");
    const auto large =
        tell(call_of(tenant), "tests.large", R"({"name":")" + std::string(kDataMax, 'x') + "\"}");
    EXPECT_TRUE(relay());
    const auto data = [&](const std::string& id) {
        return log.get(call_of(tenant), {EntryId::parse(id).value()}).value().data.value;
    };
    EXPECT_EQ(data(small), R"({"name":"robot"})");
    EXPECT_EQ(data(large), R"({"omittedBytes":)" + std::to_string(kDataMax + 11) + "}");
}

// Relays of several databases, or one that was stopped and woke up late.
TEST_F(RecorderTest, relays_that_come_side_by_side_leave_no_gap_and_nothing_twice) {
    const auto messages = some_messages(120);
    const auto work = [&] {
        for (std::size_t i = 0; i < messages.size(); i += 10)
            EXPECT_TRUE(recorder.consume(call, std::span{messages}.subspan(i, 10)));
    };
    std::vector<std::thread> relays;
    for (int i = 0; i < 3; ++i) relays.emplace_back(work);
    const auto others = some_messages(120);
    for (const auto& each : others) EXPECT_TRUE(recorder.consume(call, std::span{&each, 1}));
    for (auto& thread : relays) thread.join();
    EXPECT_EQ(numbers(tenant), first_numbers(240));
    std::vector<std::string> all;
    for (const auto& each : messages) all.push_back(each.message_id.text());
    for (const auto& each : others) all.push_back(each.message_id.text());
    EXPECT_THAT(ids(tenant), UnorderedElementsAreArray(all));
}

TEST_F(RecorderTest, a_log_that_cannot_be_written_keeps_the_messages_in_their_outbox) {
    const auto id = tell(call_of(tenant), "tests.first");
    const auto change = [&](std::string_view script) {
        books->change_schema([&](db::SchemaChange& schema) { schema.run_script(script); });
    };
    change("ALTER TABLE audit_heads RENAME TO audit_heads_away");
    EXPECT_FALSE(relay());
    EXPECT_EQ(count(), 1);
    change("ALTER TABLE audit_heads_away RENAME TO audit_heads");
    EXPECT_TRUE(relay());
    EXPECT_THAT(ids(tenant), ElementsAre(id));
}

// --- the process dies ---------------------------------------------------------------------------

std::unique_ptr<db::Database> open(const char* variable, Metrics& metrics) {
    static const SystemClock clock;
    static SystemRandom random;
    const auto options = db::parse_database_url(std::getenv(variable)).value();
    if (const auto* sqlite = std::get_if<db::SqliteOptions>(&options))
        return db::open_sqlite(*sqlite, clock, metrics);
    return db::open_postgres(std::get<db::PostgresOptions>(options), clock, random, metrics);
}

// Not a test: what DyingRecorderTest runs in another process.
TEST(RecorderProcess, DISABLED_runs_until_it_is_killed) {
    const SystemClock clock;
    Metrics metrics;
    const auto source = open("RECORDER_TEST_SOURCE", metrics);
    const auto books = open("RECORDER_TEST_BOOKS", metrics);
    Recorder recorder{*books};
    const std::string_view killed_at = std::getenv("RECORDER_TEST_KILLED_AT");
    outbox::Relay::Parts parts{
        .database = *source, .clock = clock, .metrics = metrics, .consumers = {&recorder}};
    parts.limits.batch = 3;
    parts.on_step = [&](std::string_view step) {
        if (step == killed_at) std::raise(SIGKILL);
    };
    const leases::Lease lease{"relay", std::stoll(std::getenv("RECORDER_TEST_TOKEN"))};
    const auto done =
        outbox::Relay(parts, "main").run(Call::system("test", Deadline::never()), lease);
    ASSERT_TRUE(done) << done.error().detail;
}

class DyingRecorderTest : public AuditTest, public ::testing::WithParamInterface<const char*> {
 protected:
    // How the process ended, as from wait().
    int run_process(std::string_view killed_at, const leases::Lease& lease) {
        source.close();
        books.close();
        const auto environment =
            "RECORDER_TEST_SOURCE='" + source.url() + "' RECORDER_TEST_BOOKS='" + books.url() +
            "' RECORDER_TEST_KILLED_AT=" + std::string{killed_at} +
            " RECORDER_TEST_TOKEN=" + std::to_string(lease.token);
        const int status = testing::run_in_process("RecorderProcess", environment);
        source.reopen();
        books.reopen();
        return status;
    }
};

TEST_P(DyingRecorderTest, every_message_is_an_entry_once_and_no_number_is_missing) {
    const std::string_view killed_at = GetParam();
    std::vector<std::string> told;
    for (int i = 0; i < 7; ++i)
        told.push_back(tell(call_of(tenant), "tests.happened", "{}", outbox::MessageKind::audit));
    const int first = run_process(killed_at, acquire("a"));
    ASSERT_TRUE(WIFSIGNALED(first) && WTERMSIG(first) == SIGKILL) << "status " << first;
    told.push_back(tell(call_of(tenant), "tests.meanwhile"));
    const int second = run_process("never", acquire("b"));
    ASSERT_TRUE(WIFEXITED(second) && WEXITSTATUS(second) == 0) << "status " << second;
    EXPECT_EQ(ids(tenant), told);
    EXPECT_EQ(numbers(tenant), first_numbers(8));
}

INSTANTIATE_TEST_SUITE_P(
    AtEveryStep, DyingRecorderTest,
    ::testing::Values("numbering", "numbered", "read", "consumed", "noted", "removed")
);

}  // namespace
}  // namespace synapsex::audit
