// The relay's process is killed at each of its steps, and another goes on.

#include <sys/wait.h>

#include <csignal>

#include "controlplane/platform/db/database_url.hpp"
#include "controlplane/platform/outbox/relay_fixture.hpp"
#include "tests/support/dying_process.hpp"

namespace synapsex::outbox {
namespace {

std::unique_ptr<db::Database> open(const char* variable, Metrics& metrics) {
    static const SystemClock clock;
    static SystemRandom random;
    const auto options = db::parse_database_url(std::getenv(variable)).value();
    if (const auto* sqlite = std::get_if<db::SqliteOptions>(&options))
        return db::open_sqlite(*sqlite, clock, metrics);
    return db::open_postgres(std::get<db::PostgresOptions>(options), clock, random, metrics);
}

// Not a test: what RelayTest runs in another process.
TEST(RelayProcess, DISABLED_runs_until_it_is_killed) {
    const SystemClock clock;
    Metrics metrics;
    const auto source = open("RELAY_TEST_SOURCE", metrics);
    const auto target = open("RELAY_TEST_TARGET", metrics);
    TestConsumer consumer{*target, Stream::events};
    const std::string_view killed_at = std::getenv("RELAY_TEST_KILLED_AT");
    Relay::Parts parts{
        .database = *source, .clock = clock, .metrics = metrics, .consumers = {&consumer}};
    parts.on_step = [&](std::string_view step) {
        if (step == killed_at) std::raise(SIGKILL);
    };
    const leases::Lease lease{"relay", std::stoll(std::getenv("RELAY_TEST_TOKEN"))};
    const auto done =
        Relay(parts, "main").run(Call::system("test", Deadline::never()), lease);
    ASSERT_TRUE(done) << done.error().detail;
}

class DyingRelayTest : public RelayTest, public ::testing::WithParamInterface<const char*> {
 protected:
    // How the process ended, as from wait().
    int run_process(std::string_view killed_at, const leases::Lease& lease) {
        source.close();
        target.close();
        const auto environment =
            "RELAY_TEST_SOURCE='" + source.url() + "' RELAY_TEST_TARGET='" + target.url() +
            "' RELAY_TEST_KILLED_AT=" + std::string{killed_at} +
            " RELAY_TEST_TOKEN=" + std::to_string(lease.token);
        const int status = testing::run_in_process("RelayProcess", environment);
        source.reopen();
        target.reopen();
        return status;
    }
};

TEST_P(DyingRelayTest, loses_and_doubles_nothing) {
    const std::string_view killed_at = GetParam();
    std::vector<std::string> ids;
    if (killed_at == "moved") {
        ids.push_back(fresh_id().text());
        add_earlier(ids.back(), std::nullopt);
    }
    for (const auto& id : add_some(7 - static_cast<int>(ids.size()))) ids.push_back(id);
    const int first = run_process(killed_at, acquire("a"));
    ASSERT_TRUE(WIFSIGNALED(first) && WTERMSIG(first) == SIGKILL) << "status " << first;
    const int second = run_process("never", acquire("b"));
    ASSERT_TRUE(WIFEXITED(second) && WEXITSTATUS(second) == 0) << "status " << second;
    EXPECT_EQ(received(), ids);
    EXPECT_EQ(head().sequence, 7);
    EXPECT_EQ(count(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    AtEveryStep, DyingRelayTest,
    ::testing::Values(
        "moved", "numbering", "numbered", "read", "consumed", "noted", "removed"
    )
);

}  // namespace
}  // namespace synapsex::outbox
