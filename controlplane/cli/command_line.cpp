#include "controlplane/cli/command_line.hpp"

#include <CLI/CLI.hpp>

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
               "  NO_COLOR               no colors\n"
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

// CLI11 explains what is wrong with a command line, and prints help where it was asked for.
ExitCode explain(const CLI::App& app, const CLI::ParseError& error, Surroundings& surroundings) {
    const int code = app.exit(error, surroundings.out, surroundings.err);
    return code == 0 ? ExitCode::ok : ExitCode::usage;
}

ExitCode run_action(Context& context, const Action& action) {
    const auto done = action(context);
    context.surroundings().out.flush();
    if (!done) {
        complain(context, done.error());
        return exit_code_of(done.error());
    }
    if (!context.surroundings().out) {
        context.surroundings().err << "synapsexctl: standard output cannot be written\n";
        return ExitCode::failure;
    }
    return ExitCode::ok;
}

}  // namespace

ExitCode run_command_line(const std::vector<std::string>& arguments, Surroundings& surroundings) {
    CLI::App app{"Run a fleet of virtual machines with SynapseX.", "synapsexctl"};
    GlobalOptions options;
    Action chosen;
    app.set_version_flag("--version", "synapsexctl " + std::string{kVersion});
    app.require_subcommand(1);
    // Commands take over the footer that stands when they are made, unless they have their own.
    app.footer("Options of every command (--json, --url, --tenant, …): synapsexctl --help");
    add_global_options(app, options);
    add_sign_in_commands(app, chosen);
    add_tenant_commands(app, chosen);
    add_token_commands(app, chosen);
    add_agent_commands(app, chosen);
    add_vm_commands(app, chosen);
    add_key_commands(app, chosen);
    app.footer(footer());
    allow_global_options_anywhere(app);
    try {
        app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
    } catch (const CLI::ParseError& error) {
        return explain(app, error, surroundings);
    }
    if (options.profile.empty() && options.credentials_file.empty())
        options.profile = surroundings.environment_value("SYNAPSEX_PROFILE");
    Context context{surroundings, std::move(options)};
    return run_action(context, chosen);
}

}  // namespace synapsex::cli
