#include "agent/executor/options.hpp"

#include <array>
#include <memory>

#include <getopt.h>
#include <pwd.h>
#include <unistd.h>

namespace synapsex::executor {

namespace {

enum Flag : int { kRunDir = 1, kWorkerProgram, kWorkerUser, kSupervise, kVersion, kHelp };

constexpr std::array kFlags{
    option{"run-dir", required_argument, nullptr, kRunDir},
    option{"worker-program", required_argument, nullptr, kWorkerProgram},
    option{"worker-user", required_argument, nullptr, kWorkerUser},
    option{"supervise", no_argument, nullptr, kSupervise},
    option{"version", no_argument, nullptr, kVersion},
    option{"help", no_argument, nullptr, kHelp},
    option{nullptr, 0, nullptr, 0},
};

Problem bad_option(std::string detail) {
    return {.kind = Kind::invalid, .code = "executor.bad_option", .detail = std::move(detail)};
}

Result<Done> set_worker_user(Options& options, const std::string& name) {
    const auto* user = ::getpwnam(name.c_str());
    if (user == nullptr) return bad_option("There is no user '" + name + "'.");
    options.worker_uid = user->pw_uid;
    options.worker_gid = user->pw_gid;
    return Done{};
}

Result<Done> take(Options& options, int flag) {
    switch (flag) {
        case kRunDir: options.run_dir = ::optarg; return Done{};
        case kWorkerProgram: options.worker_program = ::optarg; return Done{};
        case kWorkerUser: return set_worker_user(options, ::optarg);
        case kSupervise: options.mode = Mode::supervise; return Done{};
        case kVersion: options.mode = Mode::print_version; return Done{};
        case kHelp: options.mode = Mode::print_help; return Done{};
        default: return bad_option("Unknown option. --help lists what there is.");
    }
}

std::filesystem::path own_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace

Result<Options> parse_options(int argc, char** argv) {
    Options options{.worker_uid = ::geteuid(), .worker_gid = ::getegid()};
    ::opterr = 0;
    int flag = 0;
    while ((flag = ::getopt_long(argc, argv, "", kFlags.data(), nullptr)) != -1)
        SYNAPSEX_CHECK(take(options, flag));
    options.worker_arguments.assign(argv + ::optind, argv + argc);
    if (options.mode == Mode::serve && !options.worker_arguments.empty())
        return bad_option("Unexpected argument '" + options.worker_arguments.front() + "'.");
    if (options.worker_program.empty())
        options.worker_program = own_program().parent_path() / "synapsex-agent";
    // Compared with /proc/<pid>/exe, which names no links.
    std::error_code error;
    const auto program = std::filesystem::canonical(options.worker_program, error);
    if (!error) options.worker_program = program;
    return options;
}

std::string help_text() {
    return "synapsex-executor [--run-dir DIR] [--worker-program FILE] [--worker-user NAME]\n"
           "    Carries out the agent's privileged verbs, asked for over DIR/executor.sock.\n"
           "synapsex-executor --supervise [the same] [-- arguments of the worker]\n"
           "    Runs worker and executor and keeps them running, where there is no systemd.\n";
}

}  // namespace synapsex::executor
