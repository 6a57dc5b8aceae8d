// A PostgreSQL server that hangs without closing: its processes are stopped, its kernel goes on
// acknowledging. Skipped on SQLite, through a pooler, and where no signal reaches the server.

#include "controlplane/platform/db/postgres/watchdog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <latch>
#include <list>
#include <vector>

#include "controlplane/platform/db/postgres/notifications.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::db {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr Migration kMigrations[] = {{1, "0001_create_notes", R"sql(
    CREATE TABLE notes (note_id ${id} NOT NULL PRIMARY KEY) ${strict};
)sql"}};
constexpr Query kInsert{"notes.insert", "INSERT INTO notes (note_id) VALUES ($1)"};
constexpr Query kCount{"notes.count", "SELECT COUNT(*) AS amount FROM notes"};
constexpr Query kBackend{"notes.backend", "SELECT pg_backend_pid() AS pid"};
constexpr Query kOthers{"notes.others", R"sql(
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid())sql"};

// For as long as this lives.
class StoppedProcess {
 public:
    explicit StoppedProcess(pid_t pid) : pid_(pid) { ::kill(pid_, SIGSTOP); }
    ~StoppedProcess() { ::kill(pid_, SIGCONT); }
    StoppedProcess(const StoppedProcess&) = delete;
    StoppedProcess& operator=(const StoppedProcess&) = delete;

 private:
    const pid_t pid_;
};

std::vector<pid_t> pids_of(Session& session, const Query& query) {
    std::vector<pid_t> pids;
    const auto rows = session.query(query);
    for (std::size_t i = 0; i < rows.size(); ++i)
        pids.push_back(static_cast<pid_t>(rows[i].get<std::int64_t>("pid")));
    return pids;
}

class SilentServer : public ::testing::Test {
 protected:
    void SetUp() override {
        if (!database.is_postgres()) GTEST_SKIP() << "not on PostgreSQL";
        if (std::getenv("SYNAPSEX_TEST_POOLER")) GTEST_SKIP() << "not through a pooler";
        server = open_postgres(
            {.url = database.url(),
             .connections_max = 1,
             .write_time_max = 500ms,
             .read_time_max = 500ms,
             .silence_max = 100ms},
            clock, random, metrics
        );
        if (::kill(pids(kBackend).at(0), 0) != 0) GTEST_SKIP() << "no signal reaches it";
    }

    std::vector<pid_t> pids(const Query& query) {
        using Pids = std::vector<pid_t>;
        return server
            ->read(
                system, call,
                [&](Session& session) -> Result<Pids> { return pids_of(session, query); }
            )
            .value();
    }
    Result<std::int64_t> count() {
        return server->read(system, call, [](Session& session) -> Result<std::int64_t> {
            return session.query(kCount)[0].get<std::int64_t>("amount");
        });
    }
    void stop(const std::vector<pid_t>& pids) {
        ASSERT_FALSE(pids.empty());
        for (const auto pid : pids) stopped.emplace_back(pid);
    }

    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    testing::TestDatabase database{clock, {{"notes-service", kMigrations}}};
    std::list<StoppedProcess> stopped;
    std::unique_ptr<Database> server;  // ends before what is stopped goes on
    const SystemScope system{"test"};
    const Call call = Call::system("test", Deadline::never());
};

TEST_F(SilentServer, is_answered_with_busy_and_holds_no_connection_afterwards) {
    const auto started = clock.steady_now();
    const auto read = server->read(system, call, [&](Session& session) -> Result<std::size_t> {
        stop(pids_of(session, kBackend));
        return session.query(kCount).size();
    });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, "database.busy");
    EXPECT_THAT(read.error().detail, HasSubstr("cannot be reached"));
    EXPECT_LT(clock.steady_now() - started, 10s);
    EXPECT_EQ(count().value(), 0);
}

TEST_F(SilentServer, has_a_closure_run_again_on_another_connection) {
    int runs = 0;
    const auto written = server->write(system, call, [&](Session& session) -> Result<Done> {
        if (++runs == 1) stop(pids_of(session, kBackend));
        session.execute(kInsert, "a");
        return Done{};
    });
    EXPECT_TRUE(written);
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(count().value(), 1);
}

TEST_F(SilentServer, leaves_a_commit_unknown_that_it_does_not_answer) {
    int runs = 0;
    const auto hanging = [&](Session& session) -> Result<Done> {
        ++runs;
        session.execute(kInsert, "perhaps");
        stop(pids_of(session, kBackend));
        return Done{};
    };
    EXPECT_THROW((void)server->write(system, call, hanging), DatabaseError);
    EXPECT_EQ(runs, 1);
}

TEST_F(SilentServer, is_unhealthy_in_time_and_stops_no_end) {
    const auto started = clock.steady_now();
    stop(pids(kBackend));
    EXPECT_FALSE(server->is_healthy());
    EXPECT_TRUE(server->is_healthy()) << "on a new connection";
    stop(pids(kBackend));
    server.reset();
    EXPECT_LT(clock.steady_now() - started, 10s);
}

TEST_F(SilentServer, stops_no_end_of_who_listens_to_it) {
    const auto started = clock.steady_now();
    {
        std::latch listens{1};
        const PostgresNotifications notifications{
            {.url = database.url(), .channel = "notes"}, random,
            {.heard = [](std::string_view) {}, .listens = [&] { listens.count_down(); }}};
        listens.wait();
        stop(pids(kOthers));
    }
    EXPECT_LT(clock.steady_now() - started, 10s);
}

// Two sockets that are connected with each other.
class Pair {
 public:
    Pair() {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0);
        const timeval limit{.tv_sec = 10, .tv_usec = 0};
        EXPECT_EQ(::setsockopt(ends_[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    }
    ~Pair() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;

    int socket() const { return ends_[0]; }
    bool is_open() const { return ::send(ends_[0], "x", 1, MSG_NOSIGNAL) == 1; }
    // Waits for it.
    bool is_ended() const {
        char byte = 0;
        return ::read(ends_[0], &byte, 1) == 0;
    }

 private:
    std::array<int, 2> ends_{};
};

struct Watchdog : ::testing::Test {
    Pair one;
    Pair other;
    PostgresWatchdog watchdog{0ms};
    WatchedSocket socket{watchdog, one.socket()};
    WatchedSocket other_socket{watchdog, other.socket()};
};

TEST_F(Watchdog, ends_what_is_late_though_it_slept_until_something_later) {
    other_socket.expect_end_within(1h);
    socket.expect_end_within(1ms);
    EXPECT_TRUE(one.is_ended());
    EXPECT_TRUE(other.is_open());
}

TEST_F(Watchdog, leaves_alone_what_came_back) {
    other_socket.expect_end_within(10ms);
    other_socket.expect_nothing();
    socket.expect_end_within(30ms);
    EXPECT_TRUE(one.is_ended()) << "by when the other was due";
    EXPECT_TRUE(other.is_open());
}

TEST_F(Watchdog, leaves_alone_what_got_more_time) {
    other_socket.expect_end_within(10ms);
    other_socket.expect_end_within(1h);
    socket.expect_end_within(30ms);
    EXPECT_TRUE(one.is_ended()) << "by when the other was due";
    EXPECT_TRUE(other.is_open());
}

}  // namespace
}  // namespace synapsex::db
