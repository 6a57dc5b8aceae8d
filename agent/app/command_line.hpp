#pragma once

// synapsex-agent [run] | status, and the flags of kSettings.

#include <map>
#include <optional>
#include <string>

namespace synapsex::agent {

enum class Command { run, supervise, status, print_config };
enum class StatusFormat { text, json };

struct CommandLine {
    Command command = Command::run;
    std::string config_file;
    std::map<std::string, std::string> flags;  // by the setting's key
    StatusFormat status_format = StatusFormat::text;
};

// nullopt once --help, --version or a complaint was printed; `exit_code` says which.
std::optional<CommandLine> parse_command_line(int argc, char** argv, int& exit_code);

}  // namespace synapsex::agent
