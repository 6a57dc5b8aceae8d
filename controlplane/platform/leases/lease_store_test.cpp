#include "controlplane/platform/leases/lease_store.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "controlplane/platform/leases/migrations.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::leases {
namespace {

using namespace std::chrono_literals;

constexpr db::Query kCreateNotes{"notes.create", "INSERT INTO notes (note) VALUES ($1)"};
constexpr db::Query kCountNotes{"notes.count", "SELECT count(*) AS notes FROM notes"};
constexpr db::Query kEnd{"leases.end", "UPDATE platform_leases SET expires_at = 1"};
constexpr db::Query kRestore{
    "leases.restore", "UPDATE platform_leases SET token = 1, expires_at = 1, holder = 'old'"};
constexpr db::Query kForget{"leases.forget", "DELETE FROM platform_leases"};
constexpr db::SystemScope kScope{"test"};

constexpr db::Migration kNotes[] = {
    {1, "0001_create_notes", "CREATE TABLE notes (note TEXT NOT NULL) ${strict};"}};

class LeaseTest : public ::testing::Test {
 protected:
    std::optional<Lease> acquire(std::string_view holder, std::string_view role = "relay") {
        return database.in_write([&](db::Session& session) {
            return LeaseStore{session}.acquire(role, holder, 10min);
        });
    }
    bool is_held(const Lease& lease) {
        return database.in_write([&](db::Session& s) { return LeaseStore{s}.fence(lease); });
    }
    void release(const Lease& lease) {
        database.in_write([&](db::Session& session) { LeaseStore{session}.release(lease); });
    }
    // As if its time had passed by the database's clock.
    void end_leases() {
        database.in_write([](db::Session& session) { session.execute(kEnd); });
    }
    // What a holder does: a change under its token.
    Result<Done> write_note(const Lease& lease, const std::function<void()>& in_between = {}) {
        return database->write(kScope, call, [&](db::Session& session) -> Result<Done> {
            if (!LeaseStore{session}.fence(lease)) return lease_lost();
            if (in_between) in_between();
            session.execute(kCreateNotes, "by " + std::to_string(lease.token));
            return Done{};
        });
    }
    std::int64_t count_notes() {
        return database.in_read([](db::Session& session) {
            return session.query(kCountNotes)[0].get<std::int64_t>("notes");
        });
    }

    SystemClock clock;
    testing::TestDatabase database{clock, {{"leases", kMigrations}, {"notes", kNotes}}};
    Call call = Call::system("test", Deadline::never());
};

TEST_F(LeaseTest, one_holder_has_a_role_and_may_renew_it) {
    const auto first = acquire("a");
    ASSERT_TRUE(first);
    EXPECT_FALSE(acquire("b"));
    EXPECT_EQ(acquire("a")->token, first->token);
    EXPECT_TRUE(acquire("b", "sweep"));
}

TEST_F(LeaseTest, each_holder_has_a_greater_token_than_the_one_before) {
    const auto first = acquire("a");
    end_leases();
    const auto second = acquire("b");
    ASSERT_TRUE(second);
    EXPECT_GT(second->token, first->token);
    EXPECT_FALSE(acquire("a"));
    // Also the same holder again: what it did in between may be undone.
    end_leases();
    EXPECT_GT(acquire("b")->token, second->token);
}

TEST_F(LeaseTest, a_token_is_greater_than_any_from_before_a_restore) {
    const auto before = acquire("a");
    // An older copy of the database, in which the role has hardly been played; then one without it.
    database.in_write([](db::Session& session) { session.execute(kRestore); });
    const auto after = acquire("b");
    ASSERT_TRUE(after);
    EXPECT_GT(after->token, before->token);
    EXPECT_FALSE(is_held(*before));
    database.in_write([](db::Session& session) { session.execute(kForget); });
    EXPECT_GT(acquire("b")->token, after->token);
}

TEST_F(LeaseTest, what_is_released_is_free_at_once_and_its_token_is_void) {
    const auto first = acquire("a");
    release(*first);
    EXPECT_FALSE(is_held(*first));
    const auto second = acquire("b");
    ASSERT_TRUE(second);
    release(*first);  // late: it is another's
    EXPECT_TRUE(is_held(*second));
}

TEST_F(LeaseTest, who_lost_the_lease_changes_nothing) {
    const auto first = acquire("a");
    ASSERT_TRUE(write_note(*first));
    end_leases();
    EXPECT_EQ(write_note(*first).error().code, "lease.lost");
    const auto second = acquire("b");
    EXPECT_EQ(write_note(*first).error().code, "lease.lost");
    ASSERT_TRUE(write_note(*second));
    EXPECT_EQ(count_notes(), 2);
}

TEST_F(LeaseTest, nobody_takes_a_role_from_within_a_transaction_of_its_holder) {
    if (!database.is_postgres()) GTEST_SKIP() << "SQLite has one writer";
    const auto first = acquire("a");
    std::optional<Lease> second;
    std::jthread rival;
    int runs = 0;
    const auto outcome = write_note(*first, [&] {
        if (++runs > 1) return;
        // Its lease ends here by the clock; the rival has to wait for the end of the transaction.
        rival = std::jthread{[&] {
            end_leases();
            second = acquire("b");
        }};
        std::this_thread::sleep_for(100ms);
        EXPECT_FALSE(second);
    });
    rival.join();
    EXPECT_TRUE(second);
    EXPECT_EQ(count_notes(), outcome ? 1 : 0);
}

TEST_F(LeaseTest, of_many_who_come_at_once_one_gets_the_role) {
    std::atomic<int> winners{0};
    {
        std::vector<std::jthread> rivals;
        for (int i = 0; i < 8; ++i)
            rivals.emplace_back([&, i] {
                if (acquire("holder " + std::to_string(i))) ++winners;
            });
    }
    EXPECT_EQ(winners, 1);
}

TEST_F(LeaseTest, transactions_of_one_holder_run_side_by_side) {
    const auto lease = acquire("a");
    {
        std::vector<std::jthread> workers;
        for (int i = 0; i < 8; ++i) workers.emplace_back([&] { EXPECT_TRUE(write_note(*lease)); });
    }
    EXPECT_EQ(count_notes(), 8);
}

}  // namespace
}  // namespace synapsex::leases
