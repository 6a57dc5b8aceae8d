// Many threads at once: one transaction for a crowd, the queue's limit, callers that leave, the
// end.

#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <thread>

#include "controlplane/platform/db/sqlite/sqlite.hpp"
#include "controlplane/platform/db/sqlite/writer.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::db {
namespace {

using namespace std::chrono_literals;

constexpr std::array kMigrations{Migration{
    1,
    "0001_create_notes",
    "CREATE TABLE notes (id ${int} PRIMARY KEY, body ${bytes}) ${strict};"}};
constexpr Query kInsert{"notes.insert", "INSERT INTO notes (id) VALUES ($1)"};
constexpr Query kInsertBlob{"notes.insert_blob", "INSERT INTO notes (id, body) VALUES ($1, $2)"};
constexpr Query kListIds{"notes.list_ids", "SELECT id FROM notes ORDER BY id"};
constexpr Query kCount{"notes.count", "SELECT count(*) AS count FROM notes"};

class Crowd : public ::testing::Test {
 protected:
    SystemClock clock;
    // However slow the machine, a crowd is not cut in two for the time it takes.
    synapsex::testing::TestDatabase database{
        clock, {{"note-service", kMigrations}}, SqliteOptions{.batch_time = 1h}};

    static Call patient() { return Call::system("test", Deadline::never()); }
    Call hurried(std::chrono::nanoseconds budget) const {
        return Call::system("test", Deadline::after(clock, budget));
    }

    Result<Done> insert(const Call& call, std::int64_t id) {
        return database->write(call, [id](Session& s) -> Result<Done> {
            s.execute(kInsert, id);
            return Done{};
        });
    }
    std::vector<std::int64_t> ids() {
        return database.in_read([](Session& s) {
            const auto rows = s.query(kListIds);
            std::vector<std::int64_t> found;
            for (std::size_t i = 0; i < rows.size(); ++i)
                found.push_back(rows[i].get<std::int64_t>("id"));
            return found;
        });
    }
    std::uint64_t metric(std::string_view name) {
        const auto text = database.metrics().render();
        const auto line = "\n" + std::string{name} + "{database=\"main\"} ";
        const auto at = text.find(line);
        return at == text.npos ? 0 : std::stoull(text.substr(at + line.size()));
    }
    void await_queue(std::uint64_t writes) {
        while (metric("synapsex_database_queued_writes") < writes) std::this_thread::yield();
    }
};

// Keeps the writer inside a closure, so that the writes after it meet in one batch.
class HeldWriter {
 public:
    explicit HeldWriter(Database& database) {
        thread_ = std::thread{[this, &database] {
            const auto call = Call::system("hold", Deadline::never());
            const auto held = database.write(call, [this](Session&) -> Result<Done> {
                is_held_.count_down();
                release_.wait();
                return Done{};
            });
            static_cast<void>(held);
        }};
        is_held_.wait();
    }
    ~HeldWriter() { release(); }
    HeldWriter(const HeldWriter&) = delete;
    HeldWriter& operator=(const HeldWriter&) = delete;

    void release() {
        if (!thread_.joinable()) return;
        release_.count_down();
        thread_.join();
    }

 private:
    std::latch is_held_{1};
    std::latch release_{1};
    std::thread thread_;
};

TEST_F(Crowd, of_64_writers_one_fails_one_throws_one_is_too_long_and_61_commit_at_once) {
    std::atomic<int> successes{0};
    std::atomic<int> problems{0};
    std::atomic<int> exceptions{0};
    std::atomic<int> refusals{0};
    const auto write = [&](std::int64_t id) {
        // The 12th runs past its deadline: it spins until that has passed.
        const auto call = id == 12 ? hurried(500ms) : patient();
        try {
            const auto answer = database->write(call, [&](Session& s) -> Result<Done> {
                s.execute(kInsert, id);
                if (id == 10)
                    return Problem{.kind = Kind::conflict, .code = "notes.taken", .detail = ""};
                if (id == 11) throw std::out_of_range("a bug");
                while (id == 12 && !call.deadline.is_expired(clock)) std::this_thread::yield();
                return Done{};
            });
            if (answer)
                ++successes;
            else if (answer.error().code == "database.busy")
                ++refusals;
            else
                ++problems;
        } catch (const std::out_of_range&) {
            ++exceptions;
        }
    };
    HeldWriter writer{*database};
    {
        std::vector<std::jthread> threads;
        for (std::int64_t id = 0; id < 64; ++id) threads.emplace_back(write, id);
        await_queue(64);
        writer.release();
    }
    EXPECT_EQ(successes, 61);
    EXPECT_EQ(problems, 1);
    EXPECT_EQ(exceptions, 1);
    EXPECT_EQ(refusals, 1);
    EXPECT_EQ(ids().size(), 61U);
    EXPECT_LE(metric("synapsex_database_commits_total"), 2U);  // the held one, and the crowd
}

TEST_F(Crowd, a_caller_whose_deadline_passes_in_the_queue_is_answered_then) {
    HeldWriter writer{*database};
    const auto answer = insert(hurried(20ms), 1);  // returns although the writer is held
    EXPECT_EQ(answer.error().code, "database.busy");
    writer.release();
    EXPECT_TRUE(insert(patient(), 2));
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{2}));
}

TEST_F(Crowd, a_write_beyond_the_queues_limit_is_busy_at_once_and_the_rest_are_served) {
    synapsex::testing::TestDatabase small{
        clock, {{"note-service", kMigrations}}, SqliteOptions{.queue_max = 2}};
    const auto insert_small = [&](std::int64_t id) {
        return small->write(patient(), [id](Session& s) -> Result<Done> {
            s.execute(kInsert, id);
            return Done{};
        });
    };
    const auto queued = [&] {
        return small.metrics().render().find("queued_writes{database=\"main\"} 2") !=
               std::string::npos;
    };
    HeldWriter writer{*small};
    std::jthread one{[&] { EXPECT_TRUE(insert_small(1)); }};
    std::jthread two{[&] { EXPECT_TRUE(insert_small(2)); }};
    while (!queued()) std::this_thread::yield();
    const auto refused = insert_small(3);
    EXPECT_EQ(refused.error().code, "database.busy");
    EXPECT_EQ(refused.error().kind, Kind::unavailable);
    EXPECT_EQ(refused.error().retry_after, 1s);
    writer.release();
    one.join();
    two.join();
    EXPECT_EQ(small.in_read([](Session& s) { return s.query(kListIds).size(); }), 2U);
}

TEST_F(Crowd, reads_beyond_the_pool_wait_and_those_that_wait_too_long_are_busy) {
    synapsex::testing::TestDatabase narrow{
        clock, {{"note-service", kMigrations}}, SqliteOptions{.readers_max = 1}};
    const auto late = narrow.in_read([&](Session&) {
        std::string code;
        std::thread{[&] {
            const auto answer =
                narrow->read(hurried(20ms), [](Session&) -> Result<Done> { return Done{}; });
            code = answer ? "served" : answer.error().code;
        }}.join();
        return code;
    });
    EXPECT_EQ(late, "database.busy");

    std::latch is_reading{1};
    std::jthread waiting;
    narrow.in_read([&](Session&) {
        waiting = std::jthread{[&] {
            is_reading.count_down();
            narrow.in_read([](Session&) {});
        }};
        is_reading.wait();
    });
}

TEST_F(Crowd, a_transaction_lost_to_one_is_made_good_for_all_others) {
    synapsex::testing::TestDatabase small{
        clock, {{"note-service", kMigrations}}, SqliteOptions{.pages_max = 24}};
    std::atomic<int> successes{0};
    std::atomic<int> failures{0};
    HeldWriter writer{*small};
    {
        std::vector<std::jthread> threads;
        for (std::int64_t id = 0; id < 64; ++id)
            threads.emplace_back([&, id] {
                const Blob body{std::string(id % 16 == 7 ? 200'000 : 10, 'x')};
                try {
                    const auto answer = small->write(patient(), [&](Session& s) -> Result<Done> {
                        s.execute(kInsertBlob, id, body);
                        return Done{};
                    });
                    if (answer) ++successes;
                } catch (const DatabaseError&) {
                    ++failures;
                }
            });
        while (small.metrics().render().find("queued_writes{database=\"main\"} 64") ==
               std::string::npos)
            std::this_thread::yield();
        writer.release();
    }
    EXPECT_EQ(failures, 4);
    EXPECT_EQ(successes, 60);
    EXPECT_EQ(small.in_read([](Session& s) { return s.query(kListIds).size(); }), 60U);
}

TEST_F(Crowd, the_end_answers_everyone_who_waits) {
    synapsex::testing::TemporaryFolder folder;
    Metrics metrics;
    std::atomic<int> answered{0};
    std::vector<std::jthread> threads;
    {
        auto ending = open_sqlite({.path = folder.path() / "x.db"}, clock, metrics);
        auto& raw = *ending;
        const std::array services{ServiceMigrations{"note-service", kMigrations}};
        migrate(raw, services, clock);
        HeldWriter writer{raw};
        for (std::int64_t id = 0; id < 8; ++id)
            threads.emplace_back([&raw, &answered, id] {
                const auto answer = raw.write(patient(), [id](Session& s) -> Result<Done> {
                    s.execute(kInsert, id);
                    return Done{};
                });
                if (answer) ++answered;
            });
        while (metrics.render().find("queued_writes{database=\"main\"} 8") == std::string::npos)
            std::this_thread::yield();
        std::jthread end{[&] { ending.reset(); }};
        writer.release();
    }
    threads.clear();
    EXPECT_EQ(answered, 8);
    EXPECT_NE(metrics.render().find("queued_writes{database=\"main\"} 0"), std::string::npos);
    auto again = open_sqlite({.path = folder.path() / "x.db"}, clock, metrics);
    const auto count = again->read(patient(), [](Session& s) -> Result<std::int64_t> {
        return s.query(kCount)[0].get<std::int64_t>("count");
    });
    EXPECT_EQ(count.value(), 8);
}

TEST_F(Crowd, a_writer_that_is_told_to_end_does_first_what_waits) {
    synapsex::testing::TemporaryFolder folder;
    Metrics metrics;
    const SqliteOptions options{.path = folder.path() / "x.db", .batch_max = 1};
    const sqlite::Connection makes_the_file{{.path = options.path}};
    Writer writer{options, clock, metrics};
    std::latch is_held{1};
    std::latch release{1};
    const Body hold = [&](Session&) {
        is_held.count_down();
        release.wait();
        return true;
    };
    const Body nothing = [](Session&) { return true; };
    std::atomic<int> answered{0};
    const auto write = [&](const Body& body) {
        const auto outcome = writer.write(Deadline::never(), body);
        if (!outcome.refusal && !outcome.failure) ++answered;
    };
    const auto is_ending = [&] {
        const auto outcome = writer.write(Deadline::after(clock, 1ms), nothing);
        return outcome.refusal && outcome.refusal->detail == "Too many writes are waiting.";
    };
    {
        std::vector<std::jthread> threads;
        threads.emplace_back([&] { write(hold); });
        is_held.wait();
        for (int i = 0; i < 8; ++i) threads.emplace_back([&] { write(nothing); });
        while (metrics.render().find("queued_writes{database=\"main\"} 8") == std::string::npos)
            std::this_thread::yield();
        threads.emplace_back([&] { writer.finish(); });
        while (!is_ending()) {
        }
        release.count_down();
    }
    EXPECT_EQ(answered, 9);
}

// Whatever is answered is true: a success is there, anything else is not, while deadlines pass,
// closures fail and throw, and readers look on.
TEST_F(Crowd, what_was_answered_is_what_is_there) {
    constexpr std::int64_t kThreads = 32;
    constexpr std::int64_t kWritesEach = 60;
    std::mutex mutex;
    std::vector<std::int64_t> acknowledged;
    const auto work = [&](std::int64_t thread) {
        synapsex::testing::SeededRandom random{static_cast<std::uint64_t>(thread)};
        for (std::int64_t i = 0; i < kWritesEach; ++i) {
            const auto id = thread * kWritesEach + i;
            const auto dice = random.below(10);
            const auto call =
                dice < 5 ? hurried(std::chrono::microseconds{random.below(3'000)}) : patient();
            try {
                const auto answer = database->write(call, [&](Session& s) -> Result<Done> {
                    s.execute(kInsert, id);
                    if (dice == 8)
                        return Problem{.kind = Kind::conflict, .code = "notes.taken", .detail = ""};
                    if (dice == 9) throw std::out_of_range("a bug");
                    return Done{};
                });
                if (!answer) continue;
                const std::lock_guard lock{mutex};
                acknowledged.push_back(id);
            } catch (const std::out_of_range&) {
                EXPECT_EQ(dice, 9U);
            }
        }
    };
    std::atomic<bool> is_over{false};
    std::thread reader{[&] {
        std::int64_t before = 0;
        while (!is_over) {
            const auto now = database.in_read([](Session& s) {
                return s.query(kCount)[0].get<std::int64_t>("count");
            });
            EXPECT_GE(now, before);
            before = now;
        }
    }};
    {
        std::vector<std::jthread> threads;
        for (std::int64_t thread = 0; thread < kThreads; ++thread)
            threads.emplace_back(work, thread);
    }
    is_over = true;
    reader.join();
    std::ranges::sort(acknowledged);
    EXPECT_EQ(ids(), acknowledged);
    EXPECT_GT(acknowledged.size(), 500U);
}

}  // namespace
}  // namespace synapsex::db
