#pragma once

// Keeps worker and executor running where no systemd does: starts them, starts them again when they
// end, passes SIGTERM on, and takes them along when it is killed itself. It lives in the executor's
// program because that one is small: a supervisor is in memory for as long as the agent is.

#include <filesystem>
#include <string>
#include <vector>

#include "shared/base/random.hpp"
#include "shared/base/time.hpp"

namespace synapsex::executor {

struct ChildProgram {
    // It ended with kExitForPerson. Without an executor the worker still reports its VM.
    enum class WhenItGivesUp { stop_all, go_on };

    std::string name;  // for the log, and for <run_dir>/<name>.pid
    std::vector<std::string> arguments;  // the program's path first
    WhenItGivesUp when_it_gives_up = WhenItGivesUp::stop_all;
};

struct SupervisorParts {
    const Clock& clock;
    Random& random;
};

// Returns the exit code of this process: 0 after SIGTERM or SIGINT, kExitForPerson if a child that
// all depends on gave up with it. The caller holds the run directory's supervisor_lock.
int supervise(
    const std::vector<ChildProgram>& programs,
    const std::filesystem::path& run_dir,
    const SupervisorParts& parts
);

}  // namespace synapsex::executor
