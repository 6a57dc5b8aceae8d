// Power cuts, I/O errors and full disks at every point of a story. What was answered as done is
// there afterwards, what was not is there wholly or not at all.
//
// Small stories are cut at each of their operations; larger ones, with threads, at random, and a
// failure names its seed.

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "controlplane/platform/db/migrate.hpp"
#include "controlplane/platform/db/sqlite/batch.hpp"
#include "tests/support/crash_vfs.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::db {
namespace {

using testing::CrashVfs;
using testing::Fault;
using testing::Loss;
using ::testing::IsSupersetOf;
using Ids = std::set<std::int64_t>;

constexpr const char* kSchema = R"sql(
    CREATE TABLE halves (
        id ${int} NOT NULL, half ${int} NOT NULL, body ${bytes} NOT NULL, PRIMARY KEY (id, half)
    ) ${strict};
    CREATE TABLE sums (singleton ${int} NOT NULL PRIMARY KEY, writes ${int} NOT NULL) ${strict};
    INSERT INTO sums (singleton, writes) VALUES (1, 0);)sql";
constexpr std::array kMigrations{Migration{1, "0001_create_halves", kSchema}};
constexpr std::array kServices{ServiceMigrations{"test-service", kMigrations}};

constexpr Query kInsert{"halves.insert", "INSERT INTO halves (id, half, body) VALUES ($1, $2, $3)"};
constexpr Query kCount{"sums.count", "UPDATE sums SET writes = writes + 1"};
constexpr Query kListHalves{"halves.list", "SELECT id, count(*) AS halves FROM halves GROUP BY id"};
constexpr Query kListSums{"sums.list", "SELECT writes FROM sums"};
constexpr Query kCheck{"test.check", "PRAGMA integrity_check"};

// Three changes on pages of their own: a write of which a part is there would show.
void write_both_halves(Session& session, std::int64_t id, std::size_t bytes) {
    session.execute(kInsert, id, 0, Blob{std::string(bytes, 'a')});
    session.execute(kCount);
    session.execute(kInsert, id, 1, Blob{std::string(bytes, 'b')});
}

// The writes that are there. Fails the test where one is there in part or the file is damaged.
Ids read_whole(Session& session) {
    EXPECT_EQ(session.query(kCheck)[0].get<std::string>("integrity_check"), "ok");
    Ids ids;
    const auto rows = session.query(kListHalves);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(rows[i].get<std::int64_t>("halves"), 2);
        ids.insert(rows[i].get<std::int64_t>("id"));
    }
    const auto sum = session.query(kListSums)[0].get<std::int64_t>("writes");
    EXPECT_EQ(sum, static_cast<std::int64_t>(ids.size()));
    return ids;
}

Ids read_whole_file(const std::filesystem::path& path) {
    const testing::FakeClock clock;
    sqlite::Connection connection{{.path = path.string(), .access = sqlite::Access::read_write}};
    SqliteSession session{connection, clock};
    const sqlite::Transaction reading{connection};
    return read_whole(session);
}

// Group commit without its thread, so that the same operations come in the same order each time.
class Story : private WriteSource {
 public:
    explicit Story(const std::filesystem::path& folder) : options_{.path = folder / "x.db"} {
        connection_.execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 12;"
            "CREATE TABLE halves (id INTEGER NOT NULL, half INTEGER NOT NULL, body BLOB NOT NULL,"
            "  PRIMARY KEY (id, half)) STRICT;"
            "CREATE TABLE sums (singleton INTEGER NOT NULL PRIMARY KEY, writes INTEGER NOT NULL)"
            "  STRICT; INSERT INTO sums VALUES (1, 0)"
        );
    }

    static constexpr std::size_t kWrites = 8;

    CrashVfs& disk() { return disk_; }
    const Ids& answered() const { return answered_; }

    // One batch: so many writes, and one that changes its mind.
    void write(int writes) {
        const auto first = next_id_;
        for (int i = 0; i < writes; ++i, ++next_id_)
            add([id = next_id_](Session& session) {
                write_both_halves(session, id, 700);
                return true;
            });
        add([id = next_id_++](Session& session) {
            write_both_halves(session, id, 700);
            return false;
        });
        // What stands behind one that lost the transaction is of the next batch.
        while (taken_ < writes_.size()) runner_.run(*this);
        for (int i = 0; i < writes; ++i) {
            const auto& outcome = writes_[std::size_t(i)]->outcome;
            if (!outcome.refusal && !outcome.failure) answered_.insert(first + i);
        }
        writes_.clear();
        bodies_.clear();
        taken_ = 0;
    }
    void run() {
        for (const int writes : {1, 3, 1, 2, 1}) write(writes);
    }
    Ids read() {
        const sqlite::Transaction reading{connection_};
        return read_whole(session_);
    }

 private:
    void add(Body body) {
        bodies_.push_back(std::make_unique<Body>(std::move(body)));
        writes_.push_back(
            std::make_shared<PendingWrite>(*bodies_.back(), Deadline::never(), SteadyTime{})
        );
    }
    WritePtr next(std::size_t) override {
        return taken_ < writes_.size() ? writes_[taken_++] : nullptr;
    }

    testing::FakeClock clock_;
    CrashVfs disk_;
    SqliteOptions options_;
    Metrics metrics_;
    sqlite::Connection connection_{{.path = options_.path.string(), .vfs = disk_.name()}};
    SqliteSession session_{connection_, clock_};
    BatchRunner runner_{
        options_,
        connection_,
        session_,
        clock_,
        BatchRunner::Counters{
            metrics_.counter("commits", ""), metrics_.counter("writes", ""),
            metrics_.counter("refusals", ""), metrics_.counter("reruns", ""),
            metrics_.histogram("commit_seconds", ""), metrics_.histogram("wait_seconds", "")}};
    std::vector<std::unique_ptr<Body>> bodies_;
    std::vector<WritePtr> writes_;
    std::size_t taken_ = 0;
    std::int64_t next_id_ = 1;
    Ids answered_;
};

class Crash : public ::testing::Test {
 protected:
    std::filesystem::path fresh_folder() {
        std::filesystem::remove_all(folder.path() / std::to_string(folders));
        const auto path = folder.path() / std::to_string(++folders);
        std::filesystem::create_directory(path);
        return path;
    }
    // How many operations the story has when nothing goes wrong.
    std::uint64_t length_of_story() {
        Story story{fresh_folder()};
        const auto before = story.disk().operations();
        story.run();
        EXPECT_EQ(story.answered().size(), Story::kWrites);
        EXPECT_EQ(story.read(), story.answered());
        return story.disk().operations() - before;
    }
    // What several power cuts could leave of the disk, each as `look` sees it; of seeds from
    // `seed` on.
    template <class Look>
    void look_at_remains(const CrashVfs& disk, std::uint64_t seed, const Look& look) {
        constexpr std::array kLosses{Loss::all,  Loss::some, Loss::torn, Loss::some,
                                     Loss::torn, Loss::some, Loss::torn};
        for (const auto loss : kLosses) {
            SCOPED_TRACE("loss " + std::to_string(int(loss)) + ", seed " + std::to_string(seed));
            testing::SeededRandom random{seed};
            const auto remains = fresh_folder();
            disk.leave_remains(remains, loss, random);
            look(remains);
            if (HasFailure()) return;
            ++seed;
        }
    }

    testing::TemporaryFolder folder{testing::memory_folder()};
    int folders = 0;
};

TEST_F(Crash, group_commit_loses_nothing_answered_wherever_the_power_goes) {
    const auto length = length_of_story();
    ASSERT_GT(length, 40U);
    for (std::uint64_t cut = 1; cut <= length && !HasFailure(); ++cut) {
        SCOPED_TRACE("power cut at operation " + std::to_string(cut));
        const auto place = folder.path() / "story";
        std::filesystem::create_directory(place);
        Ids answered;
        {
            Story story{place};
            story.disk().plan(story.disk().operations() + cut, Fault::power_cut);
            story.run();
            EXPECT_TRUE(story.disk().has_lost_power());
            answered = story.answered();
            look_at_remains(story.disk(), cut * 10, [&](const std::filesystem::path& remains) {
                EXPECT_THAT(read_whole_file(remains / "x.db"), IsSupersetOf(answered));
            });
        }
        std::filesystem::remove_all(place);
    }
}

// Also of what was answered before the error: a log that could not be synced is not built upon.
TEST_F(Crash, group_commit_goes_on_after_an_error_or_a_full_disk_at_any_point) {
    const auto length = length_of_story();
    for (const auto fault : {Fault::io_error, Fault::full_disk})
        for (std::uint64_t at = 1; at <= length && !HasFailure(); ++at) {
            SCOPED_TRACE("fault " + std::to_string(int(fault)) + " at " + std::to_string(at));
            Story story{fresh_folder()};
            story.disk().plan(story.disk().operations() + at, fault);
            story.run();
            EXPECT_EQ(story.read(), story.answered());
            const auto before = story.answered().size();
            story.write(2);
            EXPECT_EQ(story.answered().size(), before + 2);
            testing::SeededRandom random{at};
            const auto remains = folder.path() / "remains";
            story.disk().leave_remains(remains, Loss::some, random);
            EXPECT_EQ(read_whole_file(remains / "x.db"), story.answered());
            std::filesystem::remove_all(remains);
        }
}

// The whole database with its writer, its readers and a crowd.
class CrashedCrowd : public Crash {
 protected:
    static constexpr std::int64_t kThreads = 4;

    // Writes until the power goes, and gives back what was answered.
    Ids write_until_dark(Database& database, const CrashVfs& disk, std::uint64_t seed) {
        std::array<Ids, kThreads> answered;
        std::vector<std::thread> threads;
        for (std::int64_t thread = 0; thread < kThreads; ++thread)
            threads.emplace_back([&, thread, mine = &answered[std::size_t(thread)]] {
                testing::SeededRandom random{seed * kThreads + std::uint64_t(thread)};
                for (auto id = thread; !disk.has_lost_power(); id += kThreads)
                    if (write_one(database, id, random.below(6'000))) mine->insert(id);
            });
        for (auto& thread : threads) thread.join();
        Ids all;
        for (const auto& some : answered) all.insert(some.begin(), some.end());
        return all;
    }
    static bool write_one(Database& database, std::int64_t id, std::size_t bytes) {
        try {
            const auto write = [&](Session& session) -> Result<Done> {
                write_both_halves(session, id, bytes);
                return Done{};
            };
            return database.write(Call::system("test", Deadline::never()), write).has_value();
        } catch (const DatabaseError&) {
            return false;
        }
    }

    SystemClock clock;
    Metrics metrics;
};

TEST_F(CrashedCrowd, loses_nothing_answered_at_a_random_moment) {
    for (std::uint64_t seed = 1; seed <= 20 && !HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        CrashVfs disk;
        const auto place = folder.path() / ("crowd" + std::to_string(seed));
        std::filesystem::create_directory(place);
        auto database = open_sqlite(
            {.path = place / "x.db", .readers_max = 1, .vfs = disk.name()}, clock, metrics
        );
        migrate(*database, kServices, clock);
        testing::SeededRandom random{seed};
        disk.plan(disk.operations() + 1 + random.below(400), Fault::power_cut);
        const auto answered = write_until_dark(*database, disk, seed);
        database.reset();
        look_at_remains(disk, seed * 10, [&](const std::filesystem::path& remains) {
            EXPECT_THAT(read_whole_file(remains / "x.db"), IsSupersetOf(answered));
        });
        std::filesystem::remove_all(place);
    }
}

class CrashedMigration : public Crash {
 protected:
    // Each makes two tables and leaves a row.
    static constexpr std::array kSteps{
        Migration{
            1, "0001_create_notes",
            "CREATE TABLE t1 (x ${int}) ${strict}; CREATE TABLE u1 (x ${int}) ${strict};"
            "INSERT INTO u1 VALUES (1);"},
        Migration{
            2, "0002_create_tags",
            "CREATE TABLE t2 (x ${int}) ${strict}; CREATE TABLE u2 (x ${int}) ${strict};"
            "INSERT INTO u2 VALUES (1); DROP TABLE t1;"}};

    void migrate_on(const std::filesystem::path& path, const std::string& vfs) {
        const std::array services{ServiceMigrations{"note-service", kSteps}};
        const auto database =
            open_sqlite({.path = path, .readers_max = 1, .vfs = vfs}, clock, metrics);
        migrate(*database, services, clock);
    }
    // The tables that are there, and the records in schema_migrations.
    static std::string describe(const std::filesystem::path& path) {
        sqlite::Connection connection{{.path = path.string()}};
        std::string found;
        const auto list = [&](std::string_view sql) {
            auto statement = connection.prepare(sql);
            while (statement.step()) found += std::string{statement.text(0)} + " ";
        };
        list("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
        if (found.find("schema_migrations") != found.npos)
            list("SELECT number FROM schema_migrations ORDER BY number");
        return found;
    }

    testing::FakeClock clock;
    Metrics metrics;
};

TEST_F(CrashedMigration, is_there_with_its_record_or_not_at_all_and_the_next_start_goes_on) {
    const Ids cuts = [&] {
        CrashVfs disk;
        migrate_on(fresh_folder() / "x.db", disk.name());
        Ids all;
        for (std::uint64_t i = 1; i <= disk.operations(); ++i) all.insert(std::int64_t(i));
        return all;
    }();
    ASSERT_GT(cuts.size(), 20U);
    std::set<std::string> seen;
    for (const auto cut : cuts) {
        SCOPED_TRACE("power cut at operation " + std::to_string(cut));
        const auto place = folder.path() / ("cut" + std::to_string(cut));
        std::filesystem::create_directory(place);
        CrashVfs disk;
        disk.plan(std::uint64_t(cut), Fault::power_cut);
        try {
            migrate_on(place / "x.db", disk.name());
        } catch (const DatabaseError&) {
            // The power is gone.
        }
        look_at_remains(disk, std::uint64_t(cut) * 10, [&](const std::filesystem::path& remains) {
            seen.insert(describe(remains / "x.db"));
            migrate_on(remains / "x.db", "");
            EXPECT_EQ(describe(remains / "x.db"), "schema_migrations t2 u1 u2 1 2 ");
        });
        std::filesystem::remove_all(place);
        if (HasFailure()) break;
    }
    EXPECT_EQ(
        seen, (std::set<std::string>{
                  "", "schema_migrations ", "schema_migrations t1 u1 1 ",
                  "schema_migrations t2 u1 u2 1 2 "})
    );
}

}  // namespace
}  // namespace synapsex::db
