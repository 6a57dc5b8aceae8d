#include "controlplane/platform/leases/leased_task.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "controlplane/platform/leases/migrations.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::leases {
namespace {

using namespace std::chrono_literals;

constexpr TaskInfo kSweep{"tests.sweep", 1h, Replicas::one};

// One replica: it tries for the role when it is told to.
class Replica {
 public:
    Replica(db::Database& database, const Clock& clock, Random& random)
        : book_(metrics_, clock),
          task_(kSweep, {book_, database, clock, random}, [this](const Lease& lease) {
              token_ = lease.token;
              return answer_.load() ? Result<Done>{Done{}}
                                    : Problem{Kind::unavailable, "tests.refused", "no"};
          }) {}

    // The token it runs with.
    std::int64_t run() {
        token_ = 0;
        task_.hurry();
        eventually([&] { return token_ != 0; });
        return token_;
    }
    // Finds that another has the role.
    bool is_turned_away() {
        token_ = 0;
        task_.hurry();
        eventually([&] { return !book_.report().at(0).is_ours; });
        return token_ == 0;
    }
    void refuse() { answer_ = false; }
    bool is_failing() {
        eventually([&] { return book_.report().at(0).failing_since.has_value(); });
        return true;
    }

 private:
    static void eventually(const std::function<bool()>& is_so) {
        for (int i = 0; i < 10'000; ++i) {
            if (is_so()) return;
            std::this_thread::sleep_for(1ms);
        }
        throw std::runtime_error("it did not happen within 10 s");
    }

    std::atomic<std::int64_t> token_{0};
    std::atomic<bool> answer_{true};
    Metrics metrics_;
    TaskBook book_;
    LeasedTask task_;
};

class LeasedTaskTest : public ::testing::Test {
 protected:
    std::unique_ptr<Replica> replica() {
        return std::make_unique<Replica>(*database, clock, random);
    }

    SystemClock clock;
    SystemRandom random;
    testing::TestDatabase database{clock, {{"leases", kMigrations}}};
};

TEST_F(LeasedTaskTest, one_replica_runs_it_until_it_stops_and_then_another) {
    auto first = replica();
    const auto second = replica();
    const auto token = first->run();
    EXPECT_TRUE(second->is_turned_away());
    EXPECT_EQ(first->run(), token);
    first.reset();
    EXPECT_GT(second->run(), token);
}

TEST_F(LeasedTaskTest, a_run_that_fails_is_noted_as_failing) {
    const auto only = replica();
    only->refuse();
    only->run();
    EXPECT_TRUE(only->is_failing());
}

TEST_F(LeasedTaskTest, a_replica_that_never_had_the_role_ends_in_peace) {
    const auto first = replica();
    const auto token = first->run();
    EXPECT_TRUE(replica()->is_turned_away());
    EXPECT_EQ(first->run(), token);
}

}  // namespace
}  // namespace synapsex::leases
