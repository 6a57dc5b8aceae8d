#include "controlplane/cli/process.hpp"

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <fcntl.h>
#include <iostream>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <system_error>
#include <termios.h>
#include <thread>
#include <unistd.h>

extern char** environ;

namespace synapsex::cli {

namespace {

std::map<std::string, std::string> read_environment() {
    std::map<std::string, std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text{*entry};
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

TerminalSize read_terminal_size() {
    TerminalSize known;
    winsize size{};  // a terminal may know one of the two only
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return known;
    if (size.ws_col > 0) known.columns = size.ws_col;
    if (size.ws_row > 0) known.rows = size.ws_row;
    return known;
}

bool is_reader_of_output_gone() {
    pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
    return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

// The terminal hands over every key as it is pressed and shows none, Ctrl-C included, so that no
// way out of here leaves a terminal that shows nothing.
class SilentTerminal {
 public:
    SilentTerminal() {
        if (::tcgetattr(STDIN_FILENO, &before_) != 0)
            throw std::system_error{errno, std::generic_category(), "the terminal"};
        auto silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
        silent.c_cc[VMIN] = 1;
        silent.c_cc[VTIME] = 0;
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;
    ~SilentTerminal() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }

 private:
    termios before_{};
};

void erase_last_code_point(std::string& text) {
    while (!text.empty()) {
        const bool is_continuation = (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80;
        text.pop_back();
        if (!is_continuation) return;
    }
}

// Nothing when the user gave up.
std::optional<std::string> read_silently() {
    constexpr char kCtrlC = 3;
    constexpr char kCtrlD = 4;
    constexpr char kCtrlU = 21;
    constexpr std::size_t kBytesMax = 4096;
    const SilentTerminal silent;
    std::string typed;
    while (typed.size() < kBytesMax) {
        char key = 0;
        const auto size = ::read(STDIN_FILENO, &key, 1);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0 || key == kCtrlC || (key == kCtrlD && typed.empty())) return std::nullopt;
        if (key == '\n' || key == '\r' || key == kCtrlD) return typed;
        if (key == '\b' || key == '\x7f')
            erase_last_code_point(typed);
        else if (key == kCtrlU)
            typed.clear();
        else
            typed += key;
    }
    return typed;
}

Result<std::string> ask_secret_on_terminal(std::string_view prompt) {
    std::cerr << prompt << std::flush;
    auto typed = read_silently();
    std::cerr << std::endl;
    if (!typed)
        return Problem{.kind = Kind::internal, .code = "cli.canceled", .detail = "Canceled."};
    return *std::move(typed);
}

// Takes SIGINT and SIGTERM on a thread of its own, because neither a condition variable nor
// libcurl may be used in a signal handler.
class SignalPause final : public Pause {
 public:
    explicit SignalPause(net::HttpClient& client) : client_(client) {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGINT);
        sigaddset(&signals_, SIGTERM);
        ::pthread_sigmask(SIG_BLOCK, &signals_, &mask_before_);
        signal_descriptor_ = ::signalfd(-1, &signals_, SFD_CLOEXEC);
        end_descriptor_ = ::eventfd(0, EFD_CLOEXEC);
        if (signal_descriptor_ < 0 || end_descriptor_ < 0)
            throw std::system_error{errno, std::generic_category(), "signalfd"};
        listener_ = std::thread{[this] { listen(); }};
    }
    SignalPause(const SignalPause&) = delete;
    SignalPause& operator=(const SignalPause&) = delete;
    ~SignalPause() override {
        ::eventfd_write(end_descriptor_, 1);
        listener_.join();
        ::close(signal_descriptor_);
        ::close(end_descriptor_);
        ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    }

    bool wait(std::chrono::milliseconds duration) override {
        std::unique_lock lock{mutex_};
        return !stopped_.wait_for(lock, duration, [this] { return stop_ != Stop::none; });
    }
    Stop stop() const override {
        const std::lock_guard lock{mutex_};
        return stop_;
    }

 private:
    void listen() {
        pollfd sources[2] = {
            {.fd = signal_descriptor_, .events = POLLIN, .revents = 0},
            {.fd = end_descriptor_, .events = POLLIN, .revents = 0}};
        for (;;) {
            if (::poll(sources, 2, -1) < 0) continue;
            if (sources[1].revents != 0) return;
            signalfd_siginfo info{};
            if (::read(signal_descriptor_, &info, sizeof info) != sizeof info) continue;
            {
                const std::lock_guard lock{mutex_};
                stop_ = info.ssi_signo == SIGINT ? Stop::interrupted : Stop::terminated;
            }
            stopped_.notify_all();
            client_.cancel();
        }
    }

    net::HttpClient& client_;
    sigset_t signals_{};
    sigset_t mask_before_{};
    int signal_descriptor_ = -1;
    int end_descriptor_ = -1;
    mutable std::mutex mutex_;
    std::condition_variable stopped_;
    Stop stop_ = Stop::none;
    std::thread listener_;
};

}  // namespace

void prepare_process() {
    // What takes a missing stream's place fails as a closed one does.
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(stream, F_GETFD) < 0)
            ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    std::signal(SIGPIPE, SIG_IGN);
}

Surroundings surroundings_of_process(Clock& clock, Random& random) {
    return {
        .environment = read_environment(),
        .in = std::cin,
        .out = std::cout,
        .err = std::cerr,
        .is_in_terminal = ::isatty(STDIN_FILENO) == 1,
        .is_out_terminal = ::isatty(STDOUT_FILENO) == 1,
        .is_err_terminal = ::isatty(STDERR_FILENO) == 1,
        .clock = clock,
        .random = random,
        .terminal_size = read_terminal_size,
        .is_reader_gone = is_reader_of_output_gone,
        .ask_secret = ask_secret_on_terminal,
        .connect =
            [](const net::CurlOptions& options) {
                return std::make_unique<net::CurlHttpClient>(options);
            },
        .pause_until_stopped =
            [](net::HttpClient& client) { return std::make_unique<SignalPause>(client); }};
}

}  // namespace synapsex::cli
