#pragma once

// Finds the worker and signals it. Its pid comes from a file that the worker itself writes, and the
// worker is the less trusted of the two: a forged file must not make root signal somebody else's
// process. So the process is pinned first (a pidfd, which no reuse of the number can redirect),
// then its user and its program are checked, and only then is it signalled.

#include <filesystem>
#include <string>

#include <sys/types.h>

#include "shared/base/result.hpp"
#include "shared/base/descriptor.hpp"

namespace synapsex::executor {

struct WorkerRules {
    std::filesystem::path pid_file;
    std::filesystem::path program;  // what /proc/<pid>/exe must name
    uid_t uid = 0;
};

class WorkerProcess {
 public:
    // Fails with executor.worker_unknown (no file, no such process) or executor.worker_untrusted.
    static Result<WorkerProcess> find(const WorkerRules& rules);

    pid_t pid() const { return pid_; }
    Result<Done> terminate() const;

 private:
    WorkerProcess(pid_t pid, Descriptor handle) : pid_(pid), handle_(std::move(handle)) {}

    pid_t pid_;
    Descriptor handle_;
};

}  // namespace synapsex::executor
