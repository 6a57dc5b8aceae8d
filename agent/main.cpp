#include <cstdio>
#include <cstdlib>
#include <exception>

#include "agent/app/command_line.hpp"
#include "agent/app/config.hpp"
#include "agent/app/connection_trial.hpp"
#include "agent/app/diag_command.hpp"
#include "agent/app/pause_command.hpp"
#include "agent/app/run_command.hpp"
#include "agent/app/service_environment.hpp"
#include "agent/app/status_command.hpp"
#include "agent/app/supervise_command.hpp"
#include "shared/base/process_memory.hpp"

namespace synapsex::agent {
namespace {

constexpr int kExitConfig = 78;

int fail(const Problem& problem) {
    std::fprintf(stderr, "synapsex-agent: %s\n", problem.detail.c_str());
    return kExitConfig;
}

const char* environment(const char* name) { return std::getenv(name); }

// Those that look at the service from beside it, and the one that is it where there is no systemd.
// `run` has what systemd gave it.
bool is_of_service(Command command) {
    return command != Command::run && command != Command::print_config;
}

// What the service has this process has from now on, too. Returns the variables of agent.env.
std::map<std::string, std::string> take_service_environment(const CommandLine& line) {
    auto file = line.config_file;
    if (file.empty())
        if (const char* named = environment(kConfigFileEnvironment)) file = named;
    const bool is_default = file.empty() || file == kDefaultConfigFile;
    if (is_default) file = kDefaultConfigFile;
    std::error_code ignored;
    const bool is_unit = is_default && line.command != Command::supervise &&
                         std::filesystem::exists(kServiceUnitFile, ignored);
    const auto path = std::filesystem::path{file}.parent_path() / kServiceEnvironmentFile;
    const auto service = read_service_environment(path, is_unit);
    if (service) {
        take_over(*service);
        return service->variables;
    }
    if (line.command == Command::test_connection || line.command == Command::diag)
        std::fprintf(
            stderr, "synapsex-agent: %s. What the service's variables are is not known here.\n",
            service.error().detail.c_str()
        );
    return {};
}

int run(const CommandLine& line) {
    std::map<std::string, std::string> service_variables;
    if (is_of_service(line.command)) service_variables = take_service_environment(line);
    const auto values = collect_settings({
        .flags = line.flags,
        .environment = environment,
        .config_file = line.config_file,
    });
    if (!values) return fail(values.error());
    const auto config = make_config(*values);
    if (!config) return fail(config.error());
    set_log_level(config->log_level);
    const SystemClock clock;
    SystemRandom random;
    const ConnectionTools tools{clock, random, environment, std::move(service_variables)};
    switch (line.command) {
        case Command::run: return run_command(*config);
        case Command::supervise: return supervise_command(*config, line);
        case Command::status: return status_command(*config, line.status_format);
        case Command::pause: return pause_command(*config, line, clock);
        case Command::resume: return resume_command(*config, line, clock);
        case Command::test_connection:
            set_log_level(LogLevel::error);  // the report says it
            return test_connection_command(*config, line.status_format, tools);
        case Command::diag: return diag_command(*config, *values, line, tools);
        case Command::print_config: std::fputs(print_config(*values).c_str(), stdout); return 0;
    }
    return kExitConfig;
}

}  // namespace
}  // namespace synapsex::agent

int main(int argc, char** argv) {
    synapsex::forbid_core_dumps();
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
