#include "controlplane/platform/wakeups/wakeups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <optional>
#include <thread>

#include "controlplane/platform/db/postgres/notifications.hpp"
#include "controlplane/platform/wakeups/wakeup_probe.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::wakeups {
namespace {

using ::testing::ElementsAre;

constexpr Topic kTopic{"tests.happened"};
constexpr Topic kOther{"tests.other"};
constexpr db::SystemScope kTest{"test"};

TEST(WakeupBoard, gives_each_hint_to_those_who_asked_for_its_topic) {
    Board board;
    std::vector<std::string> heard;
    board.on(kTopic, [&](std::string_view text) { heard.emplace_back("1 " + std::string{text}); });
    board.on(kTopic, [&](std::string_view text) { heard.emplace_back("2 " + std::string{text}); });
    board.on(kOther, [&](std::string_view text) {
        heard.emplace_back("other " + std::string{text});
    });
    board.deliver("tests.happened a b");
    board.deliver("tests.other ");
    board.deliver("tests.unknown x");
    board.deliver("tests.happened");  // no hint
    EXPECT_THAT(heard, ElementsAre("1 a b", "2 a b", "other "));
}

TEST(WakeupBoard, a_listener_that_throws_keeps_nobody_from_hearing) {
    Board board;
    int heard = 0;
    board.on(kTopic, [](std::string_view) { throw std::runtime_error("a bug"); });
    board.on(kTopic, [&](std::string_view) { ++heard; });
    board.deliver("tests.happened x");
    EXPECT_EQ(heard, 1);
}

class WakeupTest : public ::testing::Test {
 protected:
    void give(std::string_view text) {
        database.in_write([&](db::Session& session) { tell(session, kTopic, text); });
    }
    // Whatever has been heard so far.
    std::vector<std::string> heard() {
        const std::lock_guard lock{mutex};
        return texts;
    }
    bool eventually(const std::function<bool()>& condition) {
        for (int i = 0; i < 1000; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
        return false;
    }
    // As a replica does. Through the cluster itself, never through a pooler.
    void listen() {
        board.on(kTopic, [this](std::string_view text) {
            const std::lock_guard lock{mutex};
            texts.emplace_back(text);
        });
        notifications.emplace(
            db::PostgresNotifications::Options{
                "postgresql:///" + database.name(), std::string{kChannel}},
            system_random,
            db::PostgresNotifications::Callbacks{
                [this](std::string_view hint) {
                    hears(hint);
                    board.deliver(hint);
                }}
        );
        ASSERT_TRUE(eventually([this] { return notifications->is_listening(); }));
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    SystemRandom system_random;
    testing::TestDatabase database{clock};
    Board board;
    std::mutex mutex;
    std::vector<std::string> texts;
    std::function<void(std::string_view)> hears = [](std::string_view) {};
    std::optional<db::PostgresNotifications> notifications;
};

TEST_F(WakeupTest, what_is_no_hint_is_a_bug_of_who_gives_it) {
    EXPECT_THROW(give(std::string(kTextMax + 1, 'x')), std::logic_error);
    EXPECT_THROW(give(std::string_view{"a\0b", 3}), std::logic_error);
    EXPECT_NO_THROW(give(std::string(kTextMax, 'x')));
}

TEST_F(WakeupTest, comes_out_after_the_commit_and_never_without_it) {
    if (!database.is_postgres()) GTEST_SKIP() << "SQLite has one replica";
    listen();
    const auto undone = database->write(
        kTest, Call::system("test", Deadline::never()),
        [&](db::Session& session) -> Result<Done> {
            tell(session, kTopic, "undone");
            return Problem{Kind::conflict, "test.undone", "no"};
        }
    );
    EXPECT_FALSE(undone);
    give("done");
    EXPECT_TRUE(eventually([&] { return !heard().empty(); }));
    EXPECT_THAT(heard(), ElementsAre("done"));
}

TEST_F(WakeupTest, listens_again_after_its_connection_was_lost) {
    if (!database.is_postgres()) GTEST_SKIP() << "SQLite has one replica";
    listen();
    testing::TestDatabase::run_tool(
        "psql -qAt -d " + database.name() +
        " -c \"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE query ILIKE 'LISTEN%' AND datname = current_database()\" >/dev/null"
    );
    EXPECT_TRUE(eventually([&] {
        give("again");
        return !heard().empty();
    }));
}

TEST_F(WakeupTest, the_probe_hears_itself_and_says_when_nothing_arrives) {
    if (!database.is_postgres()) GTEST_SKIP() << "SQLite has one replica";
    WakeupProbe probe{{*database, clock, random, std::chrono::milliseconds{50}}};
    hears = [&](std::string_view hint) { probe.hear(hint); };
    const auto call = Call::system("test", Deadline::never());
    const auto silent = probe.look(call);
    ASSERT_FALSE(silent);
    EXPECT_EQ(silent.error().code, "wakeups.silent");
    listen();
    EXPECT_TRUE(eventually([&] { return probe.look(call).has_value(); }));
    notifications.reset();
    EXPECT_FALSE(probe.look(call));
    probe.give_up();
    EXPECT_TRUE(probe.look(call)) << "whoever stops finds no fault";
}

}  // namespace
}  // namespace synapsex::wakeups
