#include "agent/executor/worker_process.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace synapsex::executor {

namespace {

// Debian 12's glibc has wrappers for these only in headers that C++ cannot include.
int open_pidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
int signal_pidfd(int handle, int signal) {
    return static_cast<int>(::syscall(SYS_pidfd_send_signal, handle, signal, nullptr, 0));
}

Problem unknown(std::string detail) {
    return {
        .kind = Kind::not_found, .code = "executor.worker_unknown", .detail = std::move(detail)
    };
}

Problem untrusted(std::string detail) {
    return {
        .kind = Kind::forbidden, .code = "executor.worker_untrusted", .detail = std::move(detail)
    };
}

// Not through a link, and never waiting for a FIFO that somebody has put in the file's place.
std::optional<pid_t> read_pid(const std::filesystem::path& path) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (!file.is_open()) return std::nullopt;
    std::array<char, 32> text{};
    const auto size = ::read(file.number(), text.data(), text.size());
    if (size <= 0) return std::nullopt;
    pid_t pid = 0;
    const auto read = std::from_chars(text.data(), text.data() + size, pid);
    if (read.ec != std::errc{} || pid <= 1) return std::nullopt;
    return pid;
}

// After an upgrade the running program's file has been replaced, and the link says so.
std::string program_of(pid_t pid) {
    std::error_code error;
    const std::filesystem::path link = "/proc/" + std::to_string(pid) + "/exe";
    auto program = std::filesystem::read_symlink(link, error).string();
    constexpr std::string_view kReplaced = " (deleted)";
    if (program.ends_with(kReplaced)) program.resize(program.size() - kReplaced.size());
    return program;
}

}  // namespace

Result<WorkerProcess> WorkerProcess::find(const WorkerRules& rules) {
    const auto pid = read_pid(rules.pid_file);
    if (!pid) return unknown("No worker has left its pid in " + rules.pid_file.string() + ".");
    Descriptor handle{open_pidfd(*pid)};
    if (!handle.is_open()) return unknown("The worker " + std::to_string(*pid) + " has ended.");
    struct stat facts {};
    if (::stat(("/proc/" + std::to_string(*pid)).c_str(), &facts) != 0)
        return unknown("The worker " + std::to_string(*pid) + " has ended.");
    if (facts.st_uid != rules.uid)
        return untrusted("Process " + std::to_string(*pid) + " belongs to another user.");
    if (program_of(*pid) != rules.program)
        return untrusted("Process " + std::to_string(*pid) + " does not run the agent's program.");
    // The facts were read by number. That they were the pinned process's facts holds only if the
    // pinned process is still there, and so still has that number.
    if (signal_pidfd(handle.number(), 0) != 0)
        return unknown("The worker " + std::to_string(*pid) + " has ended.");
    return WorkerProcess{*pid, std::move(handle)};
}

Result<Done> WorkerProcess::terminate() const {
    if (signal_pidfd(handle_.number(), SIGTERM) == 0) return Done{};
    return unknown(std::string{"The worker cannot be signalled: "} + std::strerror(errno));
}

}  // namespace synapsex::executor
