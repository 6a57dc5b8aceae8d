#include "agent/app/supervise_command.hpp"

#include <cerrno>
#include <cstring>
#include <vector>

#include <unistd.h>

#include "agent/executor/restart_policy.hpp"

namespace synapsex::agent {

namespace {

// The flags as they were given. What came from the environment or the file the worker reads again.
std::vector<std::string> worker_arguments(const CommandLine& line) {
    std::vector<std::string> arguments{"run"};
    if (!line.config_file.empty())
        arguments.insert(arguments.end(), {"--config", line.config_file});
    for (const auto& setting : kSettings)
        if (const auto flag = line.flags.find(setting.key); flag != line.flags.end())
            arguments.insert(arguments.end(), {setting.flag, flag->second});
    return arguments;
}

}  // namespace

int supervise_command(const AgentConfig& config, const CommandLine& line) {
    const auto own = std::filesystem::read_symlink("/proc/self/exe");
    const auto executor = own.parent_path() / "synapsex-executor";
    std::vector<std::string> arguments{
        executor.string(), "--supervise", "--run-dir", config.run_dir.string(),
        "--worker-program", own.string(), "--",
    };
    for (auto& argument : worker_arguments(line)) arguments.push_back(std::move(argument));
    std::vector<char*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    ::execv(executor.c_str(), pointers.data());
    log_error("the supervisor cannot be started",
              {{"program", executor.string()}, {"reason", std::strerror(errno)}});
    return executor::kExitForMachine;
}

}  // namespace synapsex::agent
