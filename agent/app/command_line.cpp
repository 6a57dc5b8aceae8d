#include "agent/app/command_line.hpp"

#include <array>
#include <utility>

#include <CLI/CLI.hpp>

#include "agent/app/config.hpp"
#include "shared/base/version.hpp"

namespace synapsex::agent {

namespace {

void add_setting(CLI::App& app, const Setting& setting, CommandLine& line) {
    std::string help = setting.help;
    if (*setting.fallback != '\0') help += std::string{" ["} + setting.fallback + "]";
    const std::string key = setting.key;
    const auto keep = [&line, key](const std::string& text) { line.flags[key] = text; };
    app.add_option_function<std::string>(setting.flag, keep, help);
}

}  // namespace

std::optional<CommandLine> parse_command_line(int argc, char** argv, int& exit_code) {
    CommandLine line;
    CLI::App app{"The SynapseX agent: reports this VM to its control plane.", "synapsex-agent"};
    app.set_version_flag("--version", std::string{kVersion});
    app.require_subcommand(0, 1);
    // Flags may stand before or after the subcommand.
    app.fallthrough();
    app.add_option("--config", line.config_file,
                   std::string{"TOML file ["} + kDefaultConfigFile + "]");
    for (const auto& setting : kSettings) add_setting(app, setting, line);
    bool is_supervised = false;
    bool is_printed = false;
    bool is_json = false;
    app.add_flag(
        "--supervise", is_supervised, "run and restart worker and executor, without systemd"
    );
    app.add_flag(
        "--print-config", is_printed, "print the settings in force and where they come from"
    );
    app.add_subcommand("run", "run the agent until it is stopped (the default)");
    auto* status = app.add_subcommand("status", "say how the agent of this machine is");
    auto* pause = app.add_subcommand("pause", "let no work start on this VM, until `resume`");
    pause->add_option("--for", line.pause_for, "and no longer than 45s, 30m, 2h or 7d");
    pause->add_option("--reason", line.pause_reason, "why, for `status` and the control plane");
    auto* resume = app.add_subcommand("resume", "end a pause");
    auto* connection = app.add_subcommand(
        "test-connection", "try the way to the control plane, step by step"
    );
    auto* diag = app.add_subcommand(
        "diag", "write an archive for support, without secrets, and list what is in it"
    );
    diag->add_option(
        "--output", line.diag_output,
        "a new .tar.gz [synapsex-agent-diag-TIME.tar.gz in the current directory]"
    );
    for (auto* command : {status, pause, resume, connection, diag})
        command->add_flag("--json", is_json, "for programs");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        exit_code = app.exit(error);
        return std::nullopt;
    }
    if (is_json) line.status_format = StatusFormat::json;
    if (is_supervised) line.command = Command::supervise;
    const std::array<std::pair<CLI::App*, Command>, 5> commands{{
        {status, Command::status},
        {pause, Command::pause},
        {resume, Command::resume},
        {connection, Command::test_connection},
        {diag, Command::diag},
    }};
    for (const auto& [parsed, command] : commands)
        if (parsed->parsed()) line.command = command;
    if (is_printed) line.command = Command::print_config;
    return line;
}

}  // namespace synapsex::agent
