#include <cstdio>
#include <cstdlib>
#include <exception>

#include "agent/app/command_line.hpp"
#include "agent/app/config.hpp"
#include "agent/app/run_command.hpp"
#include "agent/app/status_command.hpp"
#include "agent/app/supervise_command.hpp"

namespace synapsex::agent {
namespace {

constexpr int kExitConfig = 78;

int fail(const Problem& problem) {
    std::fprintf(stderr, "synapsex-agent: %s\n", problem.detail.c_str());
    return kExitConfig;
}

int run(const CommandLine& line) {
    const auto values = collect_settings({
        .flags = line.flags,
        .environment = [](const char* name) -> const char* { return std::getenv(name); },
        .config_file = line.config_file,
    });
    if (!values) return fail(values.error());
    const auto config = make_config(*values);
    if (!config) return fail(config.error());
    set_log_level(config->log_level);
    switch (line.command) {
        case Command::run: return run_command(*config);
        case Command::supervise: return supervise_command(*config, line);
        case Command::status: return status_command(*config, line.status_format);
        case Command::print_config: std::fputs(print_config(*values).c_str(), stdout); return 0;
    }
    return kExitConfig;
}

}  // namespace
}  // namespace synapsex::agent

int main(int argc, char** argv) {
    try {
        int exit_code = 0;
        const auto line = synapsex::agent::parse_command_line(argc, argv, exit_code);
        return line ? synapsex::agent::run(*line) : exit_code;
    } catch (const std::exception& error) {
        // A bug or an outage of the machine: whoever supervises starts us again.
        synapsex::log_error("the agent ends", {{"reason", error.what()}});
        return 1;
    }
}
