#include "controlplane/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/complaint.hpp"
#include "controlplane/cli/context.hpp"
#include "shared/base/version.hpp"

namespace synapsex::cli {

namespace {

std::string footer() {
    return std::string{
               "Environment:\n"
               "  SYNAPSEX_URL           the server, where --url does not say\n"
               "  SYNAPSEX_ACCESS_TOKEN  sign in with this access token, before the next\n"
               "  SYNAPSEX_API_KEY       sign in with this API key, before a login\n"
               "  SYNAPSEX_TENANT_ID     the tenant, where --tenant does not say\n"
               "  SYNAPSEX_PROFILE       the profile, where --profile does not say\n"
               "  SYNAPSEX_CREDENTIALS   the file of the sign-in, where no profile is named\n"
               "  NO_COLOR               no colors\n"
               "  COLUMNS                how wide tables may be on a terminal\n"
               "\n"} +
           kExitCodesHelp +
           "\n\n"
           "Start with:\n"
           "  synapsexctl login\n"
           "  synapsexctl vms list";
}

void add_global_options(CLI::App& app, GlobalOptions& options) {
    constexpr const char* kGroup = "Options of every command";
    app.add_option("--url", options.url, "The control plane [http://127.0.0.1:8080]")
        ->type_name("URL")
        ->group(kGroup);
    app.add_option("--tenant", options.tenant, "Act in this tenant (id or slug)")
        ->type_name("TENANT")
        ->group(kGroup);
    app.add_flag_callback(
           "--json",
           [&options] { options.output = Output::json; },
           "Print the API's JSON, one document; problems too, on standard error"
    )->group(kGroup);
    auto* profile =
        app.add_option("--profile", options.profile, "Use the sign-in kept under this name")
            ->type_name("NAME")
            ->group(kGroup);
    app.add_option("--credentials", options.credentials_file, "Use the sign-in kept in this file")
        ->type_name("FILE")
        ->excludes(profile)
        ->group(kGroup);
    app.add_option("--ca-file", options.ca_file, "Trust these authorities (PEM), not the system's")
        ->type_name("FILE")
        ->check(CLI::Validator{CLI::ExistingFile}.description(""))
        ->group(kGroup);
    app.add_flag("--no-color", options.without_color, "No colors")->group(kGroup);
}

// Everything after a group's name may be mixed: options of all commands, of this one, arguments.
void allow_global_options_anywhere(CLI::App& app) {
    app.fallthrough();
    for (auto* command : app.get_subcommands({})) allow_global_options_anywhere(*command);
}

struct CommandSoFar {
    const CLI::App* app;
    std::string name;  // "synapsexctl vms"
};

CommandSoFar command_so_far(const CLI::App& app) {
    CommandSoFar command{&app, app.get_name()};
    while (!command.app->get_subcommands().empty()) {
        command.app = command.app->get_subcommands().front();
        command.name += " " + command.app->get_name();
    }
    return command;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::string names_of_commands(const CLI::App& app) {
    std::string names;
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
        names += (names.empty() ? "" : ", ") + command->get_name();
    return names;
}

// What CLI11 says, and better where it does not say what was wrong.
std::string explanation_of(
    const CLI::App& app, const CommandSoFar& command, const CLI::ParseError& error
) {
    const auto names = names_of_commands(*command.app);
    const auto strangers = app.remaining(true);
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
        return "Not understood: " + joined(strangers) + ".";
    if (names.empty() || dynamic_cast<const CLI::RequiredError*>(&error) == nullptr)
        return error.what();
    if (strangers.empty()) return command.name + " needs a command: " + names + ".";
    return "\"" + strangers.front() + "\" is no command or option of " + command.name +
           ". Commands: " + names + ".";
}

// What is to be pasted names the program as it was called.
std::string as_called(std::string text, const std::string& program) {
    const std::string plain = "synapsexctl ";
    for (auto place = text.find(plain); place != std::string::npos;) {
        text.replace(place, plain.size() - 1, program);
        place = text.find(plain, place + program.size());
    }
    return text;
}

ExitCode refuse(const CLI::App& app, const CLI::ParseError& error, Context& context) {
    const auto command = command_so_far(app);
    const auto problem = usage_problem(explanation_of(app, command, error));
    const auto advice = "see " + command.name + " --help";
    complain(context, problem, as_called(advice, context.surroundings().program));
    return ExitCode::usage;
}

// "help vms list" is what people try, and so is "help".
std::vector<std::string> with_help_as_option(std::vector<std::string> arguments) {
    if (arguments.empty() || arguments.front() != "help") return arguments;
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
    return arguments;
}

ExitCode fail(Context& context, const Problem& problem) {
    complain(context, problem);
    return exit_code_of(problem);
}

ExitCode run_action(Context& context, const Action& action) {
    const auto done = action(context);
    auto& surroundings = context.surroundings();
    surroundings.out.flush();
    if (!done) return fail(context, done.error());
    if (surroundings.out) return ExitCode::ok;
    if (surroundings.is_reader_gone()) return ExitCode::pipe_closed;
    return fail(context, output_unwritable());
}

ExitCode print_help(const CLI::App& app, const CLI::Success& wish, Surroundings& surroundings) {
    const bool is_version = dynamic_cast<const CLI::CallForVersion*>(&wish) != nullptr;
    std::ostringstream help;
    app.exit(wish, help, surroundings.err);
    surroundings.out << (is_version ? help.str() : as_called(help.str(), surroundings.program));
    Context context{surroundings, {}};
    return run_action(context, [](Context&) { return Result<Done>{Done{}}; });
}

}  // namespace

ExitCode run_command_line(const std::vector<std::string>& arguments, Surroundings& surroundings) {
    CLI::App app{"Run a fleet of virtual machines with SynapseX.", "synapsexctl"};
    GlobalOptions options;
    Action chosen;
    const auto words = with_help_as_option(arguments);
    app.set_version_flag("--version", "synapsexctl " + std::string{kVersion});
    app.require_subcommand(1);
    // Commands take over the footer that stands when they are made, unless they have their own.
    app.footer(kHelpOfAll);
    add_global_options(app, options);
    add_sign_in_commands(app, chosen);
    add_tenant_commands(app, chosen);
    add_token_commands(app, chosen);
    add_agent_commands(app, chosen);
    add_vm_commands(app, chosen);
    add_key_commands(app, chosen);
    add_explain_command(app, chosen);
    add_audit_commands(app, chosen);
    add_session_commands(app, chosen);
    add_trust_commands(app, chosen);
    app.footer(footer());
    allow_global_options_anywhere(app);
    try {
        app.parse(std::vector<std::string>{words.rbegin(), words.rend()});
    } catch (const CLI::Success& wish) {  // for help or the version
        return print_help(app, wish, surroundings);
    } catch (const CLI::ParseError& error) {
        // The options were not taken over, since the line as a whole is wrong.
        if (std::ranges::find(words, "--json") != words.end()) options.output = Output::json;
        Context context{surroundings, std::move(options)};
        return refuse(app, error, context);
    }
    Context context{surroundings, std::move(options)};
    try {
        return run_action(context, chosen);
    } catch (const std::exception& error) {
        return fail(context, {.code = "cli.failed", .detail = error.what()});
    }
}

}  // namespace synapsex::cli
