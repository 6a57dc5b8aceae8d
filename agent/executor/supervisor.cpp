#include "agent/executor/supervisor.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <optional>
#include <system_error>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/executor/restart_policy.hpp"
#include "shared/base/log.hpp"

namespace synapsex::executor {

namespace {

// The worker promises to stop within 3 s.
constexpr std::chrono::milliseconds kStopTime{3'500};
constexpr std::chrono::hours kLongWait{1};

sigset_t watched_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&set, signal);
    return set;
}

timespec part_of(std::chrono::nanoseconds time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return {.tv_sec = seconds.count(), .tv_nsec = (time - seconds).count()};
}

// In the child, between fork and exec: async-signal-safe calls alone.
[[noreturn]] void become(const std::vector<char*>& arguments, const sigset_t& mask, pid_t parent) {
    // The child must not outlive a supervisor that was killed; the second line closes the gap for
    // one that was killed before the first.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(0);
    ::sigprocmask(SIG_SETMASK, &mask, nullptr);
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
}

class Child {
 public:
    Child(const ChildProgram& program, const std::filesystem::path& run_dir, Random& random)
        : program_(program), pid_file_(run_dir / (program.name + ".pid")), policy_(random) {}

    bool is_running() const { return pid_ > 0; }
    pid_t pid() const { return pid_; }
    bool ends_all() const {
        return has_given_up_ &&
               program_.when_it_gives_up == ChildProgram::WhenItGivesUp::stop_all;
    }
    std::optional<SteadyTime> starts_at() const { return starts_at_; }

    void start(SteadyTime now) {
        std::vector<char*> arguments;
        for (auto& argument : program_.arguments) arguments.push_back(argument.data());
        arguments.push_back(nullptr);
        sigset_t no_signals;
        sigemptyset(&no_signals);
        const auto parent = ::getpid();
        const auto pid = ::fork();
        if (pid == 0) become(arguments, no_signals, parent);
        policy_.on_started(now);
        starts_at_.reset();
        if (pid < 0) return on_ended(now, -1);
        pid_ = pid;
        std::ofstream{pid_file_, std::ios::trunc} << pid_ << '\n';
        log_info("started", {{"program", program_.name}, {"pid", pid_}});
    }

    void on_ended(SteadyTime now, int exit_code) {
        pid_ = 0;
        std::error_code ignored;
        std::filesystem::remove(pid_file_, ignored);
        const auto wait = policy_.on_ended(now, exit_code);
        has_given_up_ = !wait;
        if (wait) starts_at_ = now + *wait;
        log_warning("ended", {{"program", program_.name},
                              {"exitCode", exit_code},
                              {"startsInMilliseconds", wait ? wait->count() : -1}});
    }

    void signal(int number) const {
        if (is_running()) ::kill(pid_, number);
    }

 private:
    ChildProgram program_;
    std::filesystem::path pid_file_;
    RestartPolicy policy_;
    pid_t pid_ = 0;
    std::optional<SteadyTime> starts_at_;
    bool has_given_up_ = false;
};

class Supervisor {
 public:
    Supervisor(std::vector<Child> children, const Clock& clock)
        : children_(std::move(children)), clock_(clock), signals_(watched_signals()) {
        ::sigprocmask(SIG_BLOCK, &signals_, nullptr);
    }

    int run() {
        for (auto& child : children_) child.start(clock_.steady_now());
        while (true) {
            const int signal = wait_for_signal(next_start());
            reap();
            if (signal == SIGTERM || signal == SIGINT) return stop(0);
            if (std::ranges::any_of(children_, &Child::ends_all)) return stop(kExitForPerson);
            for (auto& child : children_)
                if (child.starts_at() && *child.starts_at() <= clock_.steady_now())
                    child.start(clock_.steady_now());
        }
    }

 private:
    SteadyTime next_start() const {
        auto first = clock_.steady_now() + kLongWait;
        for (const auto& child : children_)
            if (child.starts_at()) first = std::min(first, *child.starts_at());
        return first;
    }

    // 0 once the instant has come.
    int wait_for_signal(SteadyTime until) const {
        const auto time =
            part_of(std::max(until - clock_.steady_now(), std::chrono::nanoseconds{0}));
        const int signal = ::sigtimedwait(&signals_, nullptr, &time);
        return std::max(signal, 0);
    }

    // Every child that has ended, also any that a stopped child has left to us.
    void reap() {
        int status = 0;
        while (const auto pid = ::waitpid(-1, &status, WNOHANG)) {
            if (pid < 0) return;
            const auto child = std::ranges::find(children_, pid, &Child::pid);
            if (child == children_.end()) continue;
            // As a shell tells it: 137 after kill -9.
            const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            child->on_ended(clock_.steady_now(), code);
        }
    }

    int stop(int exit_code) {
        const auto until = clock_.steady_now() + kStopTime;
        for (const auto& child : children_) child.signal(SIGTERM);
        while (is_any_running() && clock_.steady_now() < until) {
            wait_for_signal(until);
            reap();
        }
        for (const auto& child : children_) child.signal(SIGKILL);
        return exit_code;
    }

    bool is_any_running() const { return std::ranges::any_of(children_, &Child::is_running); }

    std::vector<Child> children_;
    const Clock& clock_;
    const sigset_t signals_;
};

}  // namespace

int supervise(
    const std::vector<ChildProgram>& programs,
    const std::filesystem::path& run_dir,
    const SupervisorParts& parts
) {
    const auto pid_file = run_dir / "supervisor.pid";
    std::ofstream{pid_file, std::ios::trunc} << ::getpid() << '\n';
    std::vector<Child> children;
    for (const auto& program : programs) children.emplace_back(program, run_dir, parts.random);
    const int exit_code = Supervisor{std::move(children), parts.clock}.run();
    std::error_code ignored;
    std::filesystem::remove(pid_file, ignored);
    return exit_code;
}

}  // namespace synapsex::executor
