#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "controlplane/platform/tasks/periodic_task.hpp"
#include "tests/support/fake_clock.hpp"

namespace synapsex {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr TaskInfo kSweep{"tests.sweep", 1h};

class TaskTest : public ::testing::Test {
 protected:
    // Runs a task with this work once and ends it.
    void run_once(const PeriodicTask::Work& work) {
        std::promise<void> ran;
        bool is_first = true;
        PeriodicTask task{kSweep, book, [&]() -> Result<TaskRun> {
            // Told when the work has ended, one way or the other.
            const std::shared_ptr<void> teller{nullptr, [&](void*) {
                if (std::exchange(is_first, false)) ran.set_value();
            }};
            return work();
        }};
        task.hurry();
        ran.get_future().wait();
    }

    testing::FakeClock clock;
    Metrics metrics;
    TaskBook book{metrics, clock};
};

TEST_F(TaskTest, a_task_that_has_not_run_says_so) {
    book.open(kSweep);
    const auto report = book.report().at(0);
    EXPECT_EQ(report.info.name, "tests.sweep");
    EXPECT_FALSE(report.succeeded_at);
    EXPECT_FALSE(report.failing_since);
}

TEST_F(TaskTest, a_run_that_succeeds_is_noted_with_its_time) {
    run_once([] { return TaskRun::done; });
    EXPECT_EQ(book.report().at(0).succeeded_at, clock.now());
    EXPECT_THAT(metrics.render(), HasSubstr("synapsex_task_runs_total{task=\"tests.sweep\"} 1"));
}

TEST_F(TaskTest, failures_are_noted_since_the_first_and_end_with_a_success) {
    const auto first = clock.now();
    run_once([]() -> Result<TaskRun> { return Problem{Kind::unavailable, "database.busy", "no"}; });
    clock.advance(1min);
    run_once([]() -> Result<TaskRun> { throw std::runtime_error("the disk is full"); });
    EXPECT_EQ(book.report().at(0).failing_since, first);
    EXPECT_THAT(
        metrics.render(), HasSubstr("synapsex_task_failures_total{task=\"tests.sweep\"} 2")
    );
    run_once([] { return TaskRun::done; });
    EXPECT_FALSE(book.report().at(0).failing_since);
}

TEST_F(TaskTest, a_role_that_another_has_is_no_run) {
    run_once([] { return TaskRun::elsewhere; });
    EXPECT_FALSE(book.report().at(0).is_ours);
    EXPECT_THAT(metrics.render(), HasSubstr("synapsex_task_runs_total{task=\"tests.sweep\"} 0"));
}

}  // namespace
}  // namespace synapsex
