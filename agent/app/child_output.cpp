#include "agent/app/child_output.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/descriptor.hpp"

namespace synapsex::agent {

namespace {

std::optional<pid_t> start(const std::vector<std::string>& words, int output) {
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::string language = "LANG=C.UTF-8";
    const std::array<char*, 2> environment{language.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    pid_t pid = 0;
    const int failed = ::posix_spawn(
        &pid, arguments.front(), &actions, nullptr, arguments.data(), environment.data()
    );
    posix_spawn_file_actions_destroy(&actions);
    return failed == 0 ? std::optional{pid} : std::nullopt;
}

std::string read_until(
    const Descriptor& source, std::size_t bytes_max, Deadline deadline, const Clock& clock
) {
    std::string text;
    std::array<char, 4096> block{};
    while (text.size() < bytes_max) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining(clock));
        pollfd ready{source.number(), POLLIN, 0};
        const int found = ::poll(&ready, 1, static_cast<int>(left.count()));
        if (found < 0 && errno == EINTR) continue;
        if (found <= 0) return text + "\n[cut: it took too long]\n";
        const auto count = ::read(source.number(), block.data(), block.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return text;
        text.append(block.data(), static_cast<std::size_t>(count));
    }
    text.resize(bytes_max);
    return text + "\n[cut: it is too long]\n";
}

}  // namespace

std::optional<std::string> output_of(
    const std::vector<std::string>& words, const ChildLimits& limits, const Clock& clock
) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    const Descriptor reading{ends[0]};
    Descriptor writing{ends[1]};
    const auto pid = start(words, writing.number());
    writing.close();
    if (!pid) return std::nullopt;
    auto text = read_until(reading, limits.bytes_max, Deadline::after(clock, limits.time), clock);
    // It has nobody to talk to any more, or has ended.
    ::kill(*pid, SIGKILL);
    while (::waitpid(*pid, nullptr, 0) < 0 && errno == EINTR) {}
    return text;
}

}  // namespace synapsex::agent
