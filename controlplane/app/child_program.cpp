#include "controlplane/app/child_program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controlplane/app/start_refused.hpp"

namespace synapsex::app {

namespace {

constexpr std::size_t kSaidBytesMax = 2000;
constexpr std::size_t kReadBytes = 64 * 1024;

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (auto& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// Ours, with what is added in place of what has the same name.
std::vector<std::string> merged(const std::vector<std::string>& added) {
    auto all = added;
    const auto name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const auto is_same = [&](const std::string& other) {
            return name_of(other) == name_of(*entry);
        };
        if (std::ranges::none_of(added, is_same)) all.emplace_back(*entry);
    }
    return all;
}

struct FileActions {
    FileActions() { posix_spawn_file_actions_init(&actions); }
    ~FileActions() { posix_spawn_file_actions_destroy(&actions); }
    posix_spawn_file_actions_t actions{};
};

}  // namespace

ChildProgram::ChildProgram(
    std::vector<std::string> arguments, const std::vector<std::string>& environment, Pipes pipes
)
    : name_(arguments.front()), errors_(::memfd_create("stderr", MFD_CLOEXEC)) {
    std::signal(SIGPIPE, SIG_IGN);  // a program that ends early is told by its exit
    std::array<int, 2> ends{};
    if (!errors_.is_open() || ::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    const bool is_input = pipes == Pipes::in;
    pipe_ = Descriptor{ends[is_input ? 1 : 0]};
    const Descriptor theirs{ends[is_input ? 0 : 1]};
    FileActions files;
    posix_spawn_file_actions_adddup2(
        &files.actions, theirs.number(), is_input ? STDIN_FILENO : STDOUT_FILENO
    );
    posix_spawn_file_actions_adddup2(&files.actions, errors_.number(), STDERR_FILENO);
    const int other = is_input ? STDOUT_FILENO : STDIN_FILENO;
    posix_spawn_file_actions_addopen(&files.actions, other, "/dev/null", O_RDWR, 0);
    auto variables = merged(environment);
    const int error = ::posix_spawnp(
        &pid_, name_.c_str(), &files.actions, nullptr, pointers_to(arguments).data(),
        pointers_to(variables).data()
    );
    if (error == 0) return;
    pid_ = -1;
    throw StartRefused(
        "cannot run " + name_ + ": " + std::generic_category().message(error) +
        "; install PostgreSQL's client programs (Debian's package postgresql-client) of the "
        "server's release or a later one"
    );
}

ChildProgram::~ChildProgram() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    pipe_.close();
    ::waitpid(pid_, nullptr, 0);
}

void ChildProgram::read(const std::function<void(std::string_view)>& take) {
    std::string buffer(kReadBytes, '\0');
    for (;;) {
        const auto count = ::read(pipe_.number(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        take(std::string_view{buffer}.substr(0, static_cast<std::size_t>(count)));
    }
}

std::string ChildProgram::read() {
    std::string all;
    read([&](std::string_view piece) { all += piece; });
    return all;
}

void ChildProgram::finish(std::string_view hint) {
    pipe_.close();
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (status == 0) return;
    throw StartRefused(name_ + " failed: " + said() + std::string{hint});
}

// The end of it, where the reason is; one line.
std::string ChildProgram::said() const {
    const auto size = ::lseek(errors_.number(), 0, SEEK_END);
    const auto from = std::max<off_t>(0, size - static_cast<off_t>(kSaidBytesMax));
    std::string text(static_cast<std::size_t>(std::max<off_t>(0, size - from)), '\0');
    const auto count = ::pread(errors_.number(), text.data(), text.size(), from);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, count)));
    std::ranges::replace(text, '\n', ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    return text.empty() ? "it gave no reason" : text;
}

}  // namespace synapsex::app
