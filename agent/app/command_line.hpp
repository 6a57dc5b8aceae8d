#pragma once

// synapsex-agent [run] | status | pause | resume | test-connection | diag, and the flags of
// kSettings.

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace synapsex::agent {

enum class Command {
    run, supervise, status, pause, resume, test_connection, diag, print_config
};
enum class StatusFormat { text, json };

struct CommandLine {
    Command command = Command::run;
    std::string config_file;
    std::map<std::string, std::string> flags;  // by the setting's key
    StatusFormat status_format = StatusFormat::text;
    std::string pause_for;     // empty: until `resume`
    std::string pause_reason;
    std::filesystem::path diag_output;  // empty: a name with the time, in the current directory
};

// nullopt once --help, --version or a complaint was printed; `exit_code` says which.
std::optional<CommandLine> parse_command_line(int argc, char** argv, int& exit_code);

}  // namespace synapsex::agent
