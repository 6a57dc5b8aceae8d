#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/executor/options.hpp"
#include "agent/executor/restart_policy.hpp"
#include "agent/executor/run_lock.hpp"
#include "agent/executor/server.hpp"
#include "agent/executor/supervisor.hpp"
#include "agent/executor/verbs.hpp"
#include "shared/base/log.hpp"
#include "shared/base/process_memory.hpp"
#include "shared/base/version.hpp"

namespace synapsex::executor {
namespace {

int print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    return 0;
}

// What a person has to change first; starting again cannot help.
bool is_for_person(const Problem& problem) {
    return problem.code == "executor.bad_option" || problem.code == "executor.path_too_long" ||
           problem.code == "executor.socket_unsafe";
}

int give_up(const Problem& problem) {
    log_error(problem.detail, {{"code", problem.code}});
    return is_for_person(problem) ? kExitForPerson : kExitForMachine;
}

// Readable once somebody wants this process to stop.
Descriptor open_stop_descriptor() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    return Descriptor{::signalfd(-1, &set, SFD_CLOEXEC)};
}

int serve(const Options& options) {
    const SystemClock clock;
    Verbs verbs{
        {.pid_file = worker_pid_file(options.run_dir),
         .program = options.worker_program,
         .uid = options.worker_uid},
        clock,
    };
    const SocketRules rules{
        .path = socket_path(options.run_dir),
        .lock = executor_lock(options.run_dir),
        .worker_uid = options.worker_uid,
        .worker_gid = options.worker_gid,
    };
    const auto stop = open_stop_descriptor();
    auto server =
        Server::open(rules, clock, [&](Verb verb) { return verbs.carry_out(verb); });
    if (!server) return give_up(server.error());
    log_info("executor started", {{"privileged", ::geteuid() == 0}});
    server->run(stop.number());
    return 0;
}

// What is missing is made for this user alone; what is there keeps its mode.
Result<Done> make_run_dir(const std::filesystem::path& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return Done{};
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
    if (::mkdir(path.c_str(), S_IRWXU) == 0) return Done{};
    return Problem{
        .kind = Kind::internal,
        .code = "executor.run_dir_failed",
        .detail = "Cannot create " + path.string() + ": " + std::strerror(errno),
    };
}

int run_supervisor(const Options& options) {
    const SystemClock clock;
    SystemRandom random;
    if (const auto made = make_run_dir(options.run_dir); !made) return give_up(made.error());
    const auto lock = RunLock::take(supervisor_lock(options.run_dir), "supervisor");
    if (!lock) return give_up(lock.error());
    const auto own = std::filesystem::read_symlink("/proc/self/exe").string();
    ChildProgram worker{
        .name = "worker",
        .arguments = {options.worker_program.string()},
        .when_it_gives_up = ChildProgram::WhenItGivesUp::stop_all,
    };
    worker.arguments.insert(worker.arguments.end(), options.worker_arguments.begin(),
                            options.worker_arguments.end());
    const ChildProgram executor{
        .name = "executor",
        .arguments = {own, "--run-dir", options.run_dir.string(), "--worker-program",
                      options.worker_program.string()},
        .when_it_gives_up = ChildProgram::WhenItGivesUp::go_on,
    };
    return supervise({executor, worker}, options.run_dir, {clock, random});
}

int run(int argc, char** argv) {
    // Whoever reads our log may go away; a line that nobody hears is no reason to end.
    std::signal(SIGPIPE, SIG_IGN);
    const auto options = parse_options(argc, argv);
    if (!options) return give_up(options.error());
    switch (options->mode) {
        case Mode::print_version: return print(std::string{kVersion} + "\n");
        case Mode::print_help: return print(help_text());
        case Mode::supervise: return run_supervisor(*options);
        case Mode::serve: return serve(*options);
    }
    return kExitForPerson;
}

}  // namespace
}  // namespace synapsex::executor

int main(int argc, char** argv) {
    synapsex::forbid_core_dumps();
    return synapsex::executor::run(argc, argv);
}
