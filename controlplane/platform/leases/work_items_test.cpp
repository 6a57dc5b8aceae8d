#include "controlplane/platform/leases/work_items.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

#include "controlplane/platform/leases/migrations.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::leases {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kQueue = "tests.work";
constexpr db::SystemScope kClaims{"test.claims", db::Isolation::claims};
constexpr db::Query kRestore{
    "work_items.restore", "UPDATE platform_work_items SET due_at = 1, token = 0, holder = ''"};
constexpr db::Query kEndClaims{"work_items.end", "UPDATE platform_work_items SET due_at = 1"};

class WorkItemsTest : public ::testing::Test {
 protected:
    template <class Fn>
    auto with_items(const Fn& fn) {
        return database.in_write([&](db::Session& session) {
            WorkItems items{session};
            return fn(items);
        });
    }
    bool add(std::string_view item, std::chrono::milliseconds delay = 0ms) {
        return with_items([&](WorkItems& items) { return items.add(kQueue, item, delay); });
    }
    std::vector<WorkItem> claim(std::int64_t limit, std::string_view holder = "worker") {
        const auto fn = [&](db::Session& session) -> Result<std::vector<WorkItem>> {
            return WorkItems{session}.claim(kQueue, holder, 10min, limit);
        };
        return database->write(kClaims, call, fn).value();
    }
    bool finish(const WorkItem& item) {
        return with_items([&](WorkItems& items) { return items.finish(kQueue, item); });
    }
    bool put_back(const WorkItem& item, std::chrono::milliseconds delay) {
        return with_items([&](WorkItems& items) { return items.put_back(kQueue, item, delay); });
    }
    bool extend(const WorkItem& item) {
        return with_items([&](WorkItems& items) { return items.extend(kQueue, item, 20min); });
    }
    std::int64_t count() {
        return with_items([](WorkItems& items) { return items.count(kQueue); });
    }
    void end_claims() {
        database.in_write([](db::Session& session) { session.execute(kEndClaims); });
    }

    SystemClock clock;
    testing::TestDatabase database{clock, {{"leases", kMigrations}}};
    Call call = Call::system("test", Deadline::never());
};

TEST_F(WorkItemsTest, work_is_claimed_once_and_gone_when_it_is_finished) {
    EXPECT_TRUE(add("a"));
    EXPECT_FALSE(add("a"));
    const auto claimed = claim(10);
    ASSERT_THAT(claimed, SizeIs(1));
    EXPECT_EQ(claimed[0].item, "a");
    EXPECT_THAT(claim(10, "another"), IsEmpty());
    EXPECT_TRUE(finish(claimed[0]));
    EXPECT_FALSE(finish(claimed[0]));
    EXPECT_EQ(count(), 0);
}

TEST_F(WorkItemsTest, work_is_due_after_its_delay_the_longest_due_first) {
    add("later", 1h);
    add("a, due second", -1s);
    add("b, due first", -2s);
    const auto first = claim(1);
    ASSERT_THAT(first, SizeIs(1));
    EXPECT_EQ(first[0].item, "b, due first");
    EXPECT_THAT(claim(10), SizeIs(1));
    EXPECT_EQ(count(), 3);
}

TEST_F(WorkItemsTest, an_item_of_the_same_name_in_another_queue_is_another_item) {
    add("a");
    with_items([](WorkItems& items) { return items.add("tests.other", "a", 0ms); });
    const auto claimed = claim(10);
    ASSERT_THAT(claimed, SizeIs(1));
    const auto of_other = with_items([](WorkItems& items) {
        return items.claim("tests.other", "worker", 10min, 10);
    });
    EXPECT_THAT(of_other, SizeIs(1));
    EXPECT_TRUE(finish(claimed[0]));
    EXPECT_EQ(with_items([](WorkItems& items) { return items.count("tests.other"); }), 1);
}

TEST_F(WorkItemsTest, who_was_paused_past_the_end_of_a_claim_can_change_nothing) {
    add("a");
    const auto paused = claim(1)[0];
    end_claims();
    EXPECT_FALSE(extend(paused));
    EXPECT_FALSE(finish(paused));
    const auto next = claim(1, "another");
    ASSERT_THAT(next, SizeIs(1));
    EXPECT_GT(next[0].token, paused.token);
    EXPECT_FALSE(put_back(paused, 1h));
    EXPECT_FALSE(finish(paused));
    EXPECT_TRUE(extend(next[0]));
    EXPECT_TRUE(finish(next[0]));
}

TEST_F(WorkItemsTest, a_token_is_greater_than_any_from_before_a_restore) {
    add("a");
    const auto before = claim(1)[0];
    database.in_write([](db::Session& session) { session.execute(kRestore); });
    const auto next = claim(1, "another");
    ASSERT_THAT(next, SizeIs(1));
    EXPECT_GT(next[0].token, before.token);
    EXPECT_FALSE(finish(before));
    EXPECT_TRUE(finish(next[0]));
}

TEST_F(WorkItemsTest, what_is_put_back_is_nobodys_until_it_is_due_again) {
    add("a");
    const auto tried = claim(1)[0];
    EXPECT_TRUE(put_back(tried, 1h));
    EXPECT_THAT(claim(10), IsEmpty());
    EXPECT_FALSE(finish(tried));
    end_claims();
    const auto again = claim(10);
    ASSERT_THAT(again, SizeIs(1));
    EXPECT_GT(again[0].token, tried.token);
}

TEST_F(WorkItemsTest, a_claimer_steps_over_what_another_is_taking) {
    if (!database.is_postgres()) GTEST_SKIP() << "SQLite has one writer";
    add("a", -2s);
    add("b", -1s);
    using Items = std::vector<WorkItem>;
    const auto hurried = Call::system("test", Deadline::after(clock, 5s));
    const auto claim_one = [](db::Session& session) -> Result<Items> {
        return WorkItems{session}.claim(kQueue, "worker", 10min, 1);
    };
    std::optional<Result<Items>> second;
    const auto first = database->write(kClaims, call, [&](db::Session& s) -> Result<Items> {
        auto taken = claim_one(s);
        std::thread{[&] { second = database->write(kClaims, hurried, claim_one); }}.join();
        return taken;
    });
    ASSERT_TRUE(first && *second) << "the second waited for the first";
    ASSERT_THAT(*first, SizeIs(1));
    ASSERT_THAT(**second, SizeIs(1));
    EXPECT_EQ((*first)[0].item, "a");
    EXPECT_EQ((**second)[0].item, "b");
}

TEST_F(WorkItemsTest, many_claimers_share_the_work_without_an_item_twice) {
    constexpr int kItems = 400;
    with_items([](WorkItems& items) {
        for (int i = 0; i < kItems; ++i) items.add(kQueue, std::to_string(i), 0ms);
        return true;
    });
    std::mutex mutex;
    std::multiset<std::string> claimed;
    {
        std::vector<std::jthread> workers;
        for (int i = 0; i < 8; ++i)
            workers.emplace_back([&, i] {
                for (;;) {
                    const auto batch = claim(20, "worker " + std::to_string(i));
                    if (batch.empty()) return;
                    const std::lock_guard lock{mutex};
                    for (const auto& item : batch) claimed.insert(item.item);
                }
            });
    }
    EXPECT_THAT(claimed, SizeIs(kItems));
    EXPECT_THAT((std::set<std::string>{claimed.begin(), claimed.end()}), SizeIs(kItems));
}

TEST_F(WorkItemsTest, a_claim_takes_no_more_than_its_limit) {
    with_items([](WorkItems& items) {
        for (int i = 0; i < 2 * WorkItems::kClaimMax; ++i)
            items.add(kQueue, std::to_string(i), 0ms);
        return true;
    });
    EXPECT_THAT(claim(WorkItems::kClaimMax + 1), SizeIs(WorkItems::kClaimMax));
    EXPECT_THAT(claim(0), IsEmpty());
    EXPECT_THAT(claim(-1), IsEmpty());
}

}  // namespace
}  // namespace synapsex::leases
