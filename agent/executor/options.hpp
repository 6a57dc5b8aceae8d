#pragma once

// The executor's command line. Flags alone: a process that may run as root reads no file that says
// what it should do.

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "shared/base/result.hpp"

namespace synapsex::executor {

enum class Mode { serve, supervise, print_version, print_help };

struct Options {
    Mode mode = Mode::serve;
    std::filesystem::path run_dir = "/run/synapsex";
    std::filesystem::path worker_program{};  // default: synapsex-agent beside this program
    uid_t worker_uid = 0;                    // default: this process's
    gid_t worker_gid = 0;
    std::vector<std::string> worker_arguments{};  // supervise: everything after "--"
};

Result<Options> parse_options(int argc, char** argv);
std::string help_text();

inline std::filesystem::path socket_path(const std::filesystem::path& run_dir) {
    return run_dir / "executor.sock";
}
inline std::filesystem::path executor_lock(const std::filesystem::path& run_dir) {
    return run_dir / "executor.lock";
}
inline std::filesystem::path supervisor_lock(const std::filesystem::path& run_dir) {
    return run_dir / "supervisor.lock";
}
inline std::filesystem::path worker_pid_file(const std::filesystem::path& run_dir) {
    return run_dir / "worker.pid";
}

}  // namespace synapsex::executor
