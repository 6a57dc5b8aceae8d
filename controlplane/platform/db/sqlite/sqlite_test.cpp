// The engine through its interface: types, deadlines, limits, nesting, files. batch_test.cpp has
// what happens inside a transaction, crowd_test.cpp what happens among many threads.

#include "controlplane/platform/db/sqlite/sqlite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "controlplane/platform/db/sqlite/file_lock.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::db {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

enum class Color { red, green };
BOOST_DESCRIBE_ENUM(Color, red, green)

struct Thing {
    TenantId id;
    std::string name;
    std::int64_t size;
    double weight;
    bool is_open;
    Color color;
    Timestamp made_at;
    Blob body;
    std::optional<std::string> note;
    std::optional<Timestamp> gone_at;
    Text<1, 5> label;

    friend bool operator==(const Thing&, const Thing&) = default;
};
BOOST_DESCRIBE_STRUCT(
    Thing, (), (id, name, size, weight, is_open, color, made_at, body, note, gone_at, label)
)

constexpr std::array kMigrations{Migration{1, "0001_create_things", R"sql(
    CREATE TABLE things (
        id ${id} PRIMARY KEY, name TEXT NOT NULL, size ${int} NOT NULL, weight ${real} NOT NULL,
        is_open ${bool} NOT NULL, color TEXT NOT NULL, made_at ${int} NOT NULL,
        body ${bytes} NOT NULL, note TEXT, gone_at ${int}, label TEXT NOT NULL
    ) ${strict};
    CREATE TABLE notes (id ${int} PRIMARY KEY) ${strict};
)sql"}};

constexpr Query kInsertThing{"things.insert", R"sql(
    INSERT INTO things (id, name, size, weight, is_open, color, made_at, body, note, gone_at, label)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11))sql"};
constexpr Query kFindThing{"things.find", R"sql(
    SELECT id, name, size, weight, is_open, color, made_at, body, note, gone_at, label
    FROM things WHERE id = $1 AND is_open = $2)sql"};
constexpr Query kInsert{"notes.insert", "INSERT INTO notes (id) VALUES ($1)"};
constexpr Query kInsertReturning{
    "notes.insert_returning", "INSERT INTO notes (id) VALUES ($1), ($2) RETURNING id"};
constexpr Query kDelete{"notes.delete", "DELETE FROM notes WHERE id >= $1"};
constexpr Query kCount{"notes.count", "SELECT count(*) AS count FROM notes"};
constexpr Query kEndless{"notes.endless", R"sql(
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)
    SELECT count(*) AS count FROM n)sql"};

std::int64_t count(Session& session) {
    return session.query(kCount)[0].get<std::int64_t>("count");
}

class Sqlite : public ::testing::Test {
 protected:
    synapsex::testing::FakeClock clock;
    synapsex::testing::TestDatabase database{
        clock, {{"note-service", kMigrations}}, SqliteOptions{}};

    Call call(std::chrono::nanoseconds budget = 10s) {
        return Call::system("test", Deadline::after(clock, budget));
    }
    Result<Done> insert(const Call& with, std::int64_t id) {
        return database->write(with, [&](Session& s) -> Result<Done> {
            s.execute(kInsert, id);
            return Done{};
        });
    }
    std::int64_t count_notes() { return database.in_read(count); }
};

TEST_F(Sqlite, a_row_comes_back_as_it_was_written) {
    const Thing thing{
        *TenantId::parse("ten_01hv3zzzzzzzzzzzzzzzzzzzzz"),
        "a'b\"c",
        -7,
        0.25,
        true,
        Color::green,
        clock.now(),
        Blob{std::string("\0\xff", 2)},
        std::nullopt,
        clock.now(),
        {"äöü"}};
    database.in_write([&](Session& s) {
        EXPECT_EQ(
            s.execute(
                kInsertThing,
                thing.id,
                thing.name,
                thing.size,
                thing.weight,
                thing.is_open,
                thing.color,
                thing.made_at,
                thing.body,
                thing.note,
                thing.gone_at,
                thing.label
            ),
            1
        );
    });
    const auto found =
        database.in_read([&](Session& s) { return s.find<Thing>(kFindThing, thing.id, true); });
    EXPECT_EQ(found, thing);
    EXPECT_FALSE(database.in_read([&](Session& s) {
        return s.find<Thing>(kFindThing, thing.id, false);
    }));
}

TEST_F(Sqlite, affected_counts_rows_that_changed_and_nothing_else) {
    database.in_write([](Session& s) {
        EXPECT_EQ(s.query(kInsertReturning, 1, 2).affected, 2);
        EXPECT_EQ(s.execute(kInsert, 3), 1);
        EXPECT_EQ(s.query(kCount).affected, 0);
        EXPECT_EQ(s.execute(kDelete, 2), 2);
        EXPECT_EQ(s.execute(kDelete, 2), 0);
    });
}

TEST_F(Sqlite, a_wrong_number_of_values_and_bad_sql_name_the_query) {
    static constexpr Query kBad{"notes.bad", "SELECT nothing FROM notes"};
    const auto message_of = [&](auto&& use) -> std::string {
        try {
            database.in_read(use);
        } catch (const DatabaseError& error) {
            return error.what();
        }
        return {};
    };
    EXPECT_THAT(message_of([](Session& s) { s.query(kInsert); }), HasSubstr("notes.insert: "));
    EXPECT_THAT(message_of([](Session& s) { s.query(kBad); }), HasSubstr("notes.bad: "));
}

TEST_F(Sqlite, a_query_that_lived_on_the_stack_is_not_mistaken_for_the_next_one_there) {
    std::string text = "SELECT 1 AS x";
    database.in_read([&](Session& s) {
        EXPECT_EQ(s.query({"a", text})[0].get<int>("x"), 1);
        text[7] = '2';
        EXPECT_EQ(s.query({"b", text})[0].get<int>("x"), 2);
    });
}

TEST_F(Sqlite, an_error_result_undoes_the_write_and_reaches_the_caller) {
    const auto answer = database->write(call(), [&](Session& s) -> Result<int> {
        s.execute(kInsert, 1);
        return Problem{.kind = Kind::conflict, .code = "notes.taken", .detail = "Taken."};
    });
    EXPECT_EQ(answer.error().code, "notes.taken");
    EXPECT_EQ(count_notes(), 0);
}

TEST_F(Sqlite, an_exception_undoes_the_write_and_reaches_the_caller) {
    const auto write = [&] {
        return database->write(call(), [&](Session& s) -> Result<int> {
            s.execute(kInsert, 1);
            throw std::out_of_range("a bug");
        });
    };
    EXPECT_THROW(write(), std::out_of_range);
    EXPECT_EQ(count_notes(), 0);
}

TEST_F(Sqlite, what_was_answered_is_there_after_a_restart) {
    ASSERT_TRUE(insert(call(), 1));
    database.reopen();
    EXPECT_EQ(count_notes(), 1);
}

TEST_F(Sqlite, an_answered_write_is_on_the_disk_and_not_on_its_way) {
    static constexpr Query kSynchronous{"test.synchronous", "PRAGMA synchronous"};
    const auto level = database.in_write([](Session& s) {
        return s.query(kSynchronous)[0].get<std::int64_t>("synchronous");
    });
    EXPECT_EQ(level, 2) << "FULL: fsync with each commit";
}

TEST_F(Sqlite, now_is_the_injected_clock) {
    EXPECT_EQ(database.in_write([](Session& s) { return s.now(); }), clock.now());
    EXPECT_EQ(database.in_read([](Session& s) { return s.now(); }), clock.now());
}

TEST_F(Sqlite, a_transaction_inside_another_throws_whichever_the_two_are) {
    const auto inner_read = [&](Session&) -> Result<Done> {
        return database->read(call(), [](Session&) -> Result<Done> { return Done{}; });
    };
    const auto inner_write = [&](Session&) -> Result<Done> { return insert(call(), 1); };
    EXPECT_THROW(database->read(call(), inner_read), NestedTransaction);
    EXPECT_THROW(database->read(call(), inner_write), NestedTransaction);
    EXPECT_THROW(database->write(call(), inner_read), NestedTransaction);
    EXPECT_THROW(database->write(call(), inner_write), NestedTransaction);
    const auto inner_schema = [&](Session&) -> Result<Done> {
        database->change_schema([](SchemaChange&) {});
        return Done{};
    };
    EXPECT_THROW(database->write(call(), inner_schema), NestedTransaction);
    EXPECT_TRUE(insert(call(), 2));
}

TEST_F(Sqlite, a_deadline_that_has_passed_is_busy_before_anything_starts) {
    const auto late = call(-1ms);
    const auto fail = [](Session&) -> Result<Done> {
        ADD_FAILURE() << "started";
        return Done{};
    };
    const auto written = database->write(late, fail);
    const auto read = database->read(late, fail);
    for (const auto* answer : {&written, &read}) {
        ASSERT_FALSE(*answer);
        EXPECT_EQ(answer->error().kind, Kind::unavailable);
        EXPECT_EQ(answer->error().code, "database.busy");
        EXPECT_EQ(answer->error().retry_after, 1s);
    }
}

TEST_F(Sqlite, a_read_is_stopped_after_5_seconds_whatever_its_deadline) {
    const auto answer = database->read(call(1h), [&](Session& s) -> Result<Done> {
        clock.advance(5s);
        s.query(kEndless);
        return Done{};
    });
    EXPECT_EQ(answer.error().code, "database.busy");
    EXPECT_EQ(count_notes(), 0);  // the same connection reads on
}

TEST_F(Sqlite, a_read_is_stopped_at_its_deadline_even_if_it_hides_the_interrupt) {
    const auto answer = database->read(call(100ms), [&](Session& s) -> Result<Done> {
        clock.advance(100ms);
        try {
            s.query(kEndless);
        } catch (const DatabaseError&) {
        }
        return Done{};
    });
    EXPECT_EQ(answer.error().code, "database.busy");
}

TEST_F(Sqlite, a_read_cannot_write) {
    const auto write_in_read = [&](Session& s) { s.execute(kInsert, 1); };
    EXPECT_THROW(database.in_read(write_in_read), DatabaseError);
    EXPECT_EQ(count_notes(), 0);
}

TEST_F(Sqlite, a_slow_closure_is_logged_by_the_name_of_its_slowest_query) {
    const auto log_of = [&](std::chrono::milliseconds time) {
        ::testing::internal::CaptureStderr();
        database.in_write([&](Session& s) {
            s.execute(kDelete, 0);
            clock.advance(time);
        });
        return ::testing::internal::GetCapturedStderr();
    };
    EXPECT_EQ(log_of(50ms), "");
    EXPECT_THAT(
        log_of(51ms),
        AllOf(
            HasSubstr("slow transaction"),
            HasSubstr("\"query\":\"notes.delete\""),
            HasSubstr("\"durationMs\":51")
        )
    );
}

TEST_F(Sqlite, a_typo_in_any_query_stops_the_start_by_name) {
    static constexpr Query kTypo{"notes.typo", "SELEKT 1"};
    static constexpr Query kGone{"notes.gone", "INSERT INTO note (id) VALUES ($1)"};
    const std::array good{&kInsert, &kCount, &kInsertThing};
    EXPECT_NO_THROW(database->prepare_all(good));
    for (const auto* bad : {&kTypo, &kGone}) {
        const std::array queries{&kInsert, bad};
        try {
            database->prepare_all(queries);
            ADD_FAILURE() << bad->name;
        } catch (const DatabaseError& error) {
            EXPECT_THAT(error.what(), HasSubstr(std::string{bad->name}));
        }
    }
}

TEST_F(Sqlite, metrics_tell_writes_commits_and_refusals) {
    ASSERT_TRUE(insert(call(), 1));
    ASSERT_FALSE(insert(call(-1ms), 2));
    const auto text = database.metrics().render();
    EXPECT_THAT(text, HasSubstr("synapsex_database_writes_total{database=\"main\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("synapsex_database_commits_total{database=\"main\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("synapsex_database_refusals_total{database=\"main\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("synapsex_database_queued_writes{database=\"main\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("synapsex_database_wait_seconds_count{database=\"main\"} 1\n"));
}

TEST_F(Sqlite, healthy_says_whether_it_answers) {
    EXPECT_TRUE(database->is_healthy());
    const auto stuck = database->write(call(1h), [&](Session&) -> Result<Done> {
        clock.advance(4'001ms);
        // From another thread, as /readyz asks.
        std::thread{[&] { EXPECT_FALSE(database->is_healthy()); }}.join();
        return Done{};
    });
    EXPECT_EQ(stuck.error().code, "database.busy");
    ASSERT_TRUE(insert(call(), 1));  // the batch of the one that was stuck is over
    EXPECT_TRUE(database->is_healthy());
}

TEST_F(Sqlite, its_files_are_for_their_owner_alone) {
    ASSERT_TRUE(insert(call(), 1));
    for (const auto* suffix : {"", "-wal", "-shm", ".lock"}) {
        struct stat status {};
        ASSERT_EQ(::stat((database.path().string() + suffix).c_str(), &status), 0) << suffix;
        EXPECT_EQ(status.st_mode & 0777, 0600U) << suffix;
    }
}

TEST_F(Sqlite, has_all_its_files_open_before_the_first_request) {
    const auto open_files = [] {
        const std::filesystem::directory_iterator files{"/proc/self/fd"};
        return std::distance(begin(files), end(files));
    };
    const auto before = open_files();
    ASSERT_TRUE(insert(call(), 1));
    EXPECT_EQ(count_notes(), 1);
    EXPECT_EQ(open_files(), before);
}

TEST_F(Sqlite, a_clean_end_leaves_one_file_and_its_lock) {
    ASSERT_TRUE(insert(call(), 1));
    EXPECT_TRUE(std::filesystem::exists(database.path().string() + "-wal"));
    const auto path = database.path();
    database.reopen();
    Metrics metrics;
    EXPECT_THROW(open_sqlite({.path = path}, clock, metrics), DatabaseInUse);
}

TEST_F(Sqlite, a_file_that_is_no_database_is_an_error_with_its_path) {
    const synapsex::testing::TemporaryFolder folder;
    const auto path = folder.path() / "x.db";
    std::ofstream{path} << std::string(8192, 'x');
    Metrics metrics;
    try {
        open_sqlite({.path = path}, clock, metrics);
        FAIL();
    } catch (const DatabaseError& error) {
        EXPECT_THAT(error.what(), HasSubstr(path.string()));
    }
    EXPECT_THROW(
        open_sqlite({.path = folder.path() / "no" / "x.db"}, clock, metrics), DatabaseError
    );
}

// A process that holds the lock until it is killed.
class Holder {
 public:
    explicit Holder(const std::filesystem::path& database) {
        std::array<int, 2> pipe{};
        if (::pipe(pipe.data()) != 0) throw std::system_error(errno, std::generic_category());
        pid_ = ::fork();
        if (pid_ == 0) {
            const FileLock lock{database};
            static_cast<void>(!::write(pipe[1], "x", 1));
            while (true) ::pause();
        }
        char ready = 0;
        static_cast<void>(!::read(pipe[0], &ready, 1));
        ::close(pipe[0]);
        ::close(pipe[1]);
    }
    ~Holder() { kill(); }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    pid_t pid() const { return pid_; }
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

 private:
    pid_t pid_ = 0;
};

TEST(SqliteFile, a_second_process_is_refused_in_one_sentence_with_file_and_pid) {
    const synapsex::testing::FakeClock clock;
    const synapsex::testing::TemporaryFolder folder;
    const SqliteOptions options{.path = folder.path() / "x.db"};
    Metrics metrics;
    Holder holder{options.path};
    try {
        open_sqlite(options, clock, metrics);
        FAIL();
    } catch (const DatabaseInUse& error) {
        EXPECT_EQ(
            std::string{error.what()},
            "The database " + options.path.string() + " is in use by process " +
                std::to_string(holder.pid()) +
                "; stop it first, or set DATABASE_URL to another file."
        );
    }
    EXPECT_FALSE(std::filesystem::exists(options.path));
    holder.kill();
    EXPECT_NO_THROW(open_sqlite(options, clock, metrics));
}

TEST(SqliteFile, is_one_however_its_path_is_spelled) {
    const synapsex::testing::FakeClock clock;
    const synapsex::testing::TemporaryFolder folder;
    const auto file = folder.path() / "x.db";
    std::filesystem::create_directory(folder.path() / "sub");
    std::filesystem::create_symlink("../link2.db", folder.path() / "sub" / "link.db");
    std::filesystem::create_symlink(file, folder.path() / "link2.db");
    const std::array spellings{
        std::filesystem::path{folder.path().string() + "//x.db"},
        folder.path() / "sub" / ".." / "x.db",
        folder.path() / "sub" / "link.db",
    };
    for (const bool is_there : {false, true}) {
        if (is_there) std::ofstream{file};
        for (const auto& spelling : spellings) {
            EXPECT_EQ(resolve_path(spelling), resolve_path(file)) << spelling;
            Metrics metrics;
            const FileLock lock{spelling};
            EXPECT_THROW(open_sqlite({.path = file}, clock, metrics), DatabaseInUse) << spelling;
        }
    }
}

TEST(SqliteFile, links_that_lead_in_a_circle_are_an_error) {
    const synapsex::testing::TemporaryFolder folder;
    std::filesystem::create_symlink("b.db", folder.path() / "a.db");
    std::filesystem::create_symlink("a.db", folder.path() / "b.db");
    EXPECT_THROW(resolve_path(folder.path() / "a.db"), DatabaseError);
}

}  // namespace
}  // namespace synapsex::db
