#include "controlplane/platform/db/sqlite/batch.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::db {
namespace {

using namespace std::chrono_literals;

constexpr Query kInsert{"notes.insert", "INSERT INTO notes (id) VALUES ($1)"};
constexpr Query kInsertBlob{"notes.insert_blob", "INSERT INTO notes (id, body) VALUES ($1, $2)"};
constexpr Query kInsertOnce{
    "notes.insert_once", "INSERT INTO notes (id) VALUES ($1) ON CONFLICT DO NOTHING"};
constexpr Query kInsertReference{"refs.insert", "INSERT INTO refs (note_id) VALUES ($1)"};
constexpr Query kTell{
    "told.insert", "INSERT INTO told (tenant, lines, text) VALUES ($1, $2, $3)"};
constexpr Query kListTold{"told.list", "SELECT tenant, lines, text FROM told ORDER BY id"};
constexpr Query kListIds{"notes.list_ids", "SELECT id FROM notes ORDER BY id"};

// The runner without its thread: what each test adds comes in one batch.
class Batch : public ::testing::Test, protected WriteSource {
 protected:
    testing::FakeClock clock;
    testing::TemporaryFolder folder{testing::memory_folder()};
    SqliteOptions options{.path = folder.path() / "batch.db"};
    Metrics metrics;
    Counter& commits = metrics.counter("commits", "");
    Counter& reruns = metrics.counter("reruns", "");
    sqlite::Connection connection{{.path = options.path}};
    SqliteSession session{connection, clock};
    BatchRunner runner{
        options,
        connection,
        session,
        clock,
        BatchRunner::Counters{
            commits,
            metrics.counter("writes", ""),
            metrics.counter("refusals", ""),
            reruns,
            metrics.histogram("commit_seconds", ""),
            metrics.histogram("wait_seconds", "")}};
    std::deque<Body> bodies;
    std::vector<WritePtr> writes;
    std::size_t next_write = 0;

    void SetUp() override {
        connection.pragma("journal_mode = WAL");
        connection.execute(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, body BLOB) STRICT;"
            "CREATE TABLE refs (note_id INTEGER NOT NULL REFERENCES notes (id)"
            "  DEFERRABLE INITIALLY DEFERRED) STRICT;"
            "CREATE TABLE told (id INTEGER PRIMARY KEY, tenant TEXT CHECK (tenant <> 'refused'),"
            "  lines INTEGER, text TEXT) STRICT"
        );
    }

    PendingWrite& add(Body body, Deadline deadline = Deadline::never()) {
        bodies.push_back(std::move(body));
        writes.push_back(std::make_shared<PendingWrite>(bodies.back(), deadline, clock.steady_now())
        );
        return *writes.back();
    }
    PendingWrite& add_insert(std::int64_t id) {
        return add([id](Session& s) { return s.execute(kInsert, id) == 1; });
    }
    PendingWrite& add_telling(std::int64_t id, std::string tenant, std::string line) {
        return add([=](Session& s) {
            s.append(kTell, tenant, line);
            return s.execute(kInsert, id) == 1;
        });
    }
    // "tenant lines", and the first of its text.
    std::vector<std::string> told() {
        const sqlite::Transaction reading{connection};
        Session& stores = session;
        const auto rows = stores.query(kListTold);
        std::vector<std::string> found;
        for (std::size_t i = 0; i < rows.size(); ++i)
            found.push_back(
                rows[i].get<std::string>("tenant") + ' ' +
                std::to_string(rows[i].get<std::int64_t>("lines")) + ' ' +
                rows[i].get<std::string>("text").substr(0, 12)
            );
        return found;
    }
    // Returns how many writes the transaction took.
    std::size_t run() {
        const auto before = next_write;
        runner.run(*this);
        return next_write - before;
    }
    WritePtr next(std::size_t) override {
        return next_write < writes.size() ? writes[next_write++] : nullptr;
    }

    std::vector<std::int64_t> ids() {
        const sqlite::Transaction reading{connection};
        Session& stores = session;
        const auto rows = stores.query(kListIds);
        std::vector<std::int64_t> found;
        for (std::size_t i = 0; i < rows.size(); ++i)
            found.push_back(rows[i].get<std::int64_t>("id"));
        return found;
    }

    static bool succeeded(const PendingWrite& write) {
        return !write.outcome.refusal && !write.outcome.failure;
    }
    static bool is_busy(const PendingWrite& write) {
        return write.outcome.refusal && write.outcome.refusal->code == "database.busy" &&
               write.outcome.refusal->kind == Kind::unavailable &&
               write.outcome.refusal->retry_after == 1s;
    }
    template <class Expected>
    static bool failed_with(const PendingWrite& write) {
        if (!write.outcome.failure) return false;
        try {
            std::rethrow_exception(write.outcome.failure);
        } catch (const Expected&) {
            return true;
        } catch (...) {
            return false;
        }
    }
};

TEST_F(Batch, writes_share_one_transaction_and_are_all_answered) {
    for (std::int64_t id = 0; id < 64; ++id) add_insert(id);
    EXPECT_EQ(run(), 64U);
    // In the order of waking: each caller wakes two more.
    for (const auto& write : writes) {
        EXPECT_TRUE(write->wait(clock));
        EXPECT_TRUE(succeeded(*write));
    }
    EXPECT_EQ(ids().size(), 64U);
    EXPECT_EQ(commits.value(), 1U);
}

TEST_F(Batch, one_that_fails_one_that_throws_and_one_too_long_hurt_none_of_61_others) {
    for (std::int64_t id = 0; id < 20; ++id) add_insert(id);
    auto& failing = add([](Session& s) {
        s.execute(kInsert, 100);
        return false;
    });
    for (std::int64_t id = 20; id < 40; ++id) add_insert(id);
    auto& throwing = add([](Session& s) -> bool {
        s.execute(kInsert, 101);
        throw std::out_of_range("a bug");
    });
    for (std::int64_t id = 40; id < 60; ++id) add_insert(id);
    add_insert(60);
    auto& too_long = add([this](Session& s) {
        s.execute(kInsert, 102);
        clock.advance(2'001ms);
        return true;
    });

    EXPECT_EQ(run(), 64U);
    EXPECT_TRUE(succeeded(failing));  // its caller holds the Problem it returned
    EXPECT_TRUE(failed_with<std::out_of_range>(throwing));
    EXPECT_TRUE(is_busy(too_long));
    const auto left = ids();
    EXPECT_EQ(left.size(), 61U);
    EXPECT_EQ(left.back(), 60);
    EXPECT_EQ(commits.value(), 1U);
    EXPECT_EQ(reruns.value(), 0U);
}

TEST_F(Batch, a_failed_statement_undoes_its_closure_and_no_other) {
    add_insert(1);
    auto& duplicate = add([](Session& s) {
        s.execute(kInsert, 2);
        s.execute(kInsert, 1);
        return true;
    });
    add_insert(3);
    run();
    EXPECT_TRUE(failed_with<DatabaseError>(duplicate));
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{1, 3}));
}

TEST_F(Batch, a_closure_whose_deadline_has_passed_does_not_start) {
    bool has_started = false;
    add_insert(1);
    auto& late =
        add([&](Session&) { return has_started = true; }, Deadline::at(clock.steady_now() - 1ms));
    run();
    EXPECT_TRUE(is_busy(late));
    EXPECT_FALSE(has_started);
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{1}));
}

TEST_F(Batch, a_closure_that_runs_past_its_deadline_is_undone) {
    const auto overrun = [this](std::int64_t id) {
        return [this, id](Session& s) {
            s.execute(kInsert, id);
            clock.advance(5ms);
            return true;
        };
    };
    auto& late = add(overrun(1), Deadline::after(clock, 4ms));
    auto& on_time = add(overrun(2), Deadline::after(clock, 20ms));
    run();
    EXPECT_TRUE(is_busy(late));
    EXPECT_TRUE(succeeded(on_time));
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{2}));
}

TEST_F(Batch, a_lone_write_keeps_the_same_rules) {
    auto& late = add(
        [this](Session& s) {
            s.execute(kInsert, 1);
            clock.advance(5ms);
            return true;
        },
        Deadline::after(clock, 4ms)
    );
    EXPECT_EQ(run(), 1U);
    EXPECT_TRUE(is_busy(late));
    EXPECT_FALSE(connection.is_in_transaction());
    EXPECT_TRUE(ids().empty());
}

TEST_F(Batch, a_write_whose_caller_has_left_is_dropped) {
    bool has_started = false;
    add_insert(1);
    auto& left = add([&](Session&) { return has_started = true; }, Deadline::after(clock, 1ms));
    clock.advance(2ms);
    EXPECT_FALSE(left.wait(clock));
    EXPECT_EQ(run(), 2U);
    EXPECT_FALSE(has_started);
}

TEST_F(Batch, a_transaction_that_has_run_for_its_time_leaves_the_rest_for_the_next) {
    for (std::int64_t id = 0; id < 4; ++id)
        add([this, id](Session& s) {
            clock.advance(6ms);
            return s.execute(kInsert, id) == 1;
        });
    EXPECT_EQ(run(), 2U);
    EXPECT_EQ(ids().size(), 2U);
    EXPECT_EQ(run(), 2U);
    EXPECT_EQ(ids().size(), 4U);
}

TEST_F(Batch, a_full_disk_inside_one_closure_costs_the_others_nothing) {
    connection.pragma("max_page_count = 16");
    int first_runs = 0;
    auto& first = add([&](Session& s) {
        ++first_runs;
        return s.execute(kInsert, 1) == 1;
    });
    auto& second = add_insert(2);
    auto& culprit = add([](Session& s) {
        return s.execute(kInsertBlob, 3, Blob{std::string(200'000, 'x')}) == 1;
    });
    auto& next = add_insert(4);

    EXPECT_EQ(run(), 3U);
    EXPECT_TRUE(failed_with<DatabaseError>(culprit));
    EXPECT_TRUE(succeeded(first));
    EXPECT_TRUE(succeeded(second));
    EXPECT_EQ(first_runs, 2);
    EXPECT_EQ(reruns.value(), 2U);
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{1, 2}));

    EXPECT_EQ(run(), 1U);
    EXPECT_TRUE(succeeded(next));
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{1, 2, 4}));
}

TEST_F(Batch, a_closure_that_swallows_the_end_of_the_transaction_writes_nothing_more) {
    connection.pragma("max_page_count = 16");
    add_insert(1);
    auto& stubborn = add([](Session& s) {
        try {
            s.execute(kInsertBlob, 2, Blob{std::string(200'000, 'x')});
        } catch (const DatabaseError&) {
        }
        try {
            s.execute(kInsert, 3);
        } catch (const DatabaseError&) {
        }
        return true;
    });
    run();
    EXPECT_TRUE(failed_with<DatabaseError>(stubborn));
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{1}));
}

TEST_F(Batch, a_failed_commit_tells_nobody_success_and_innocents_commit_alone) {
    add_insert(1);
    auto& culprit = add([](Session& s) {
        s.execute(kInsert, 2);
        return s.execute(kInsertReference, 404) == 1;
    });
    add_insert(3);
    EXPECT_EQ(run(), 3U);
    EXPECT_TRUE(failed_with<DatabaseError>(culprit));
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{1, 3}));
    EXPECT_EQ(reruns.value(), 3U);
    EXPECT_EQ(commits.value(), 2U);
    EXPECT_FALSE(connection.is_in_transaction());
}

TEST_F(Batch, what_is_past_its_deadline_after_a_lost_transaction_does_not_run_again) {
    int runs = 0;
    auto& late = add(
        [&](Session& s) {
            ++runs;
            return s.execute(kInsert, 1) == 1;
        },
        Deadline::after(clock, 4ms)
    );
    auto& culprit = add([this](Session& s) {
        clock.advance(5ms);
        return s.execute(kInsertReference, 404) == 1;
    });
    run();
    EXPECT_TRUE(is_busy(late));
    EXPECT_EQ(runs, 1);
    EXPECT_TRUE(failed_with<DatabaseError>(culprit));
    EXPECT_TRUE(ids().empty());
}

TEST_F(Batch, an_answer_that_rested_on_undone_work_is_made_again) {
    // The first takes id 7 and then loses the transaction; the second saw it taken, but is not
    // told.
    auto& culprit = add([](Session& s) {
        s.execute(kInsertOnce, 7);
        return s.execute(kInsertReference, 404) == 1;
    });
    std::vector<bool> was_free;
    auto& second = add([&](Session& s) {
        was_free.push_back(s.execute(kInsertOnce, 7) == 1);
        return was_free.back();
    });
    run();
    EXPECT_TRUE(failed_with<DatabaseError>(culprit));
    EXPECT_TRUE(succeeded(second));
    EXPECT_EQ(was_free, (std::vector<bool>{false, true}));
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{7}));
}

TEST_F(Batch, a_lone_write_whose_commit_fails_gets_the_error_and_is_not_run_again) {
    int runs = 0;
    auto& culprit = add([&](Session& s) {
        ++runs;
        return s.execute(kInsertReference, 404) == 1;
    });
    run();
    EXPECT_TRUE(failed_with<DatabaseError>(culprit));
    EXPECT_EQ(runs, 1);
    EXPECT_FALSE(connection.is_in_transaction());
}

TEST_F(Batch, what_closures_append_is_one_row_a_tenant_of_those_that_are_kept) {
    add_telling(1, "a", "one");
    add_telling(2, "b", "other");
    add([](Session& s) {
        s.append(kTell, "a", "refused");
        return false;
    });
    add_telling(1, "a", "fails: the id is taken");
    add_telling(3, "a", "two");
    run();
    EXPECT_EQ(told(), (std::vector<std::string>{"a 2 one\ntwo\n", "b 1 other\n"}));
    EXPECT_EQ(commits.value(), 1U);
}

TEST_F(Batch, one_that_appends_what_can_not_be_written_hurts_no_other) {
    add_telling(1, "a", "one");
    auto& culprit = add_telling(2, "refused", "x");
    add_telling(3, "a", "three");
    run();
    EXPECT_TRUE(failed_with<DatabaseError>(culprit));
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{1, 3}));
    EXPECT_EQ(told(), (std::vector<std::string>{"a 1 one\n", "a 1 three\n"}));
    EXPECT_EQ(reruns.value(), 3U);
}

TEST_F(Batch, a_row_of_what_was_appended_has_a_size_that_only_one_line_exceeds) {
    const std::string half(kAppendedBytesMax / 2, 'h');
    const std::string more(kAppendedBytesMax * 2, 'm');
    std::int64_t id = 0;
    for (const auto& line : {half, half, more, half}) add_telling(++id, "a", line);
    run();
    EXPECT_EQ(told(), (std::vector<std::string>{
        "a 1 hhhhhhhhhhhh", "a 1 hhhhhhhhhhhh", "a 1 mmmmmmmmmmmm", "a 1 hhhhhhhhhhhh"}));
}

TEST_F(Batch, a_lock_held_by_another_program_is_busy_for_all) {
    sqlite::Connection other{{.path = options.path}};
    const sqlite::Transaction transaction{other};
    auto& one = add_insert(1);
    auto& two = add_insert(2);
    EXPECT_EQ(run(), 2U);
    EXPECT_TRUE(is_busy(one));
    EXPECT_TRUE(is_busy(two));
}

}  // namespace
}  // namespace synapsex::db
