// A pid file is only a claim: what is signalled must be the worker.

#include "agent/executor/worker_process.hpp"

#include <csignal>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::executor {
namespace {

// `sleep`, in the part of the worker.
class WorkerProcessTest : public ::testing::Test {
 protected:
    WorkerProcessTest() {
        child_ = ::fork();
        if (child_ == 0) {
            ::execl("/bin/sleep", "sleep", "60", nullptr);
            ::_exit(127);
        }
        // Until the child has become sleep.
        const auto link = "/proc/" + std::to_string(child_) + "/exe";
        while (std::filesystem::read_symlink(link) != rules_.program) continue;
        write_pid(child_);
    }
    ~WorkerProcessTest() override {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }
    void write_pid(long pid) const { std::ofstream{rules_.pid_file} << pid << '\n'; }
    std::string refusal() const {
        const auto worker = WorkerProcess::find(rules_);
        return worker ? "" : worker.error().code;
    }

    synapsex::testing::TemporaryFolder directory_;
    WorkerRules rules_{
        .pid_file = directory_.path() / "worker.pid",
        .program = std::filesystem::canonical("/bin/sleep"),
        .uid = ::geteuid(),
    };
    pid_t child_ = 0;
};

TEST_F(WorkerProcessTest, ends_the_worker) {
    const auto worker = WorkerProcess::find(rules_);
    ASSERT_TRUE(worker) << worker.error().detail;
    EXPECT_EQ(worker->pid(), child_);
    EXPECT_TRUE(worker->terminate());
    int status = 0;
    EXPECT_EQ(::waitpid(child_, &status, 0), child_);
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(WorkerProcessTest, does_not_touch_a_process_that_runs_another_program) {
    write_pid(::getpid());
    EXPECT_EQ(refusal(), "executor.worker_untrusted");
}

TEST_F(WorkerProcessTest, does_not_touch_a_process_of_another_user) {
    rules_.uid = ::geteuid() + 1;
    EXPECT_EQ(refusal(), "executor.worker_untrusted");
}

TEST_F(WorkerProcessTest, takes_no_special_numbers) {
    for (const long pid : {0L, 1L, -1L}) {
        write_pid(pid);
        EXPECT_EQ(refusal(), "executor.worker_unknown");
    }
}

TEST_F(WorkerProcessTest, knows_no_worker_without_a_file_or_behind_a_link) {
    const auto elsewhere = directory_.path() / "elsewhere";
    std::filesystem::rename(rules_.pid_file, elsewhere);
    EXPECT_EQ(refusal(), "executor.worker_unknown");
    std::filesystem::create_symlink(elsewhere, rules_.pid_file);
    EXPECT_EQ(refusal(), "executor.worker_unknown");
}

}  // namespace
}  // namespace synapsex::executor
