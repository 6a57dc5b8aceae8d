#pragma once

// Everything outside the program that a command touches. main.cpp fills it with the real things,
// tests with their own: a test runs whole command lines in memory.

#include <chrono>
#include <functional>
#include <istream>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "shared/base/random.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/net/curl_http_client.hpp"

namespace synapsex::cli {

enum class Stop { none, interrupted, terminated };  // not asked for; Ctrl-C; SIGTERM

// Waiting that Ctrl-C and SIGTERM end. While it lives, they end nothing else.
class Pause {
 public:
    virtual ~Pause() = default;
    // False as soon as somebody asked to stop, at once if that was before.
    virtual bool wait(std::chrono::milliseconds duration) = 0;
    virtual Stop stop() const = 0;
};

struct TerminalSize {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

struct Surroundings {
    // How a shell finds this program: what stands before its commands in advice.
    std::string program = "synapsexctl";
    std::map<std::string, std::string> environment;
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool is_in_terminal = false;
    bool is_out_terminal = false;
    bool is_err_terminal = false;
    Clock& clock;
    Random& random;
    std::function<TerminalSize()> terminal_size;
    // Whether the program that read standard output has gone, as `head` does.
    std::function<bool()> is_reader_gone;
    // Asks on the terminal without showing what is typed.
    std::function<Result<std::string>(std::string_view prompt)> ask_secret;
    std::function<std::unique_ptr<net::HttpClient>(const net::CurlOptions&)> connect;
    // A request that runs when the user asks to stop is canceled.
    std::function<std::unique_ptr<Pause>(net::HttpClient&)> pause_until_stopped;

    // Empty if it is not set.
    std::string environment_value(const std::string& name) const {
        const auto found = environment.find(name);
        return found == environment.end() ? std::string{} : found->second;
    }
};

}  // namespace synapsex::cli
