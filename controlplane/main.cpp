#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>

#include "controlplane/app/commands.hpp"
#include "controlplane/app/services.hpp"
#include "shared/base/process_memory.hpp"
#include "shared/base/version.hpp"

namespace {

using namespace synapsex;

constexpr const char* kDefaultFile = "/etc/synapsex/controlplane.toml";
constexpr int kUsageError = 2;

std::optional<std::string> read_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (!value) return std::nullopt;
    return value;
}

// Empty: none.
std::string config_file_of(const std::string& wish) {
    return wish.empty() && std::filesystem::exists(kDefaultFile) ? kDefaultFile : wish;
}

// The file of the settings, and each of them as a flag of the command.
void add_settings(CLI::App& command, std::string& file, app::SettingValues& flags) {
    command.add_option("--config", file, std::string{"TOML file (default "} + kDefaultFile + ")");
    for (const auto& setting : app::settings()) {
        auto help = setting.help + " [" + setting.environment + "]";
        if (!setting.default_text.empty()) help += " (default " + setting.default_text + ")";
        command.add_option_function<std::string>(
            "--" + setting.name,
            [&flags, name = setting.name](const std::string& text) { flags[name] = text; }, help
        );
    }
}

app::AuthorityWish authority_wish_of(std::string_view word) {
    if (word == "rotate") return app::AuthorityWish::rotate;
    return word == "retire" ? app::AuthorityWish::retire : app::AuthorityWish::show;
}

void add_serve_options(CLI::App& command, bool& is_config_printed, bool& is_only_migrated) {
    command.add_flag("--print-config", is_config_printed, "Print the effective settings and stop.");
    command.add_flag(
        "--migrate-only", is_only_migrated,
        "Bring the database to what this release needs and stop: before replicas are replaced."
    );
}

void add_init_options(CLI::App& command, app::InitWish& wish) {
    wish.tenant_name = "Main";
    command.add_option("--email", wish.email, "The first owner's e-mail address.")->required();
    command.add_option("--full-name", wish.full_name, "The first owner's name.");
    command.add_option("--tenant-name", wish.tenant_name, "The first tenant's name.");
    command.add_option(
        "--credentials-file", wish.credentials_file,
        "Also write e-mail and password there, as JSON, mode 0600."
    );
}

CLI::App& add_recover_owner(CLI::App& program, app::RecoverOwnerWish& wish) {
    wish.sudo_uid = read_environment("SUDO_UID").value_or("");
    auto& command = *program.add_subcommand(
        "recover-owner", "Let a user back in who owns a tenant: a new password, no old sessions."
    );
    command.add_option("--email", wish.email, "The user's e-mail address.")->required();
    command.add_option(
        "--tenant", wish.tenant, "The tenant to own, by id or slug; needed if there are several."
    );
    command.add_flag(
        "--create-user", wish.may_make_user, "Make the user if nobody has that address."
    );
    command.add_flag(
        "--password-stdin", wish.is_password_on_stdin,
        "Take the new password from the first line of standard input; else it is random."
    );
    command.add_option(
        "--credentials-file", wish.credentials_file,
        "Also write e-mail and password there, as JSON, mode 0600."
    );
    return command;
}

// What the binary says of itself, without settings; empty: none of it is asked for.
std::shared_ptr<std::function<int()>> add_catalog(CLI::App& program) {
    auto chosen = std::make_shared<std::function<int()>>();
    const auto add = [&](const char* name, const char* help, int (*list)()) {
        program.add_subcommand(name, help)->callback([chosen, list] { *chosen = list; });
    };
    add("services", "List the services of this binary.", app::list_services);
    add("tables", "List the tables and what each keeps.", app::list_tables);
    add("openapi", "Print the OpenAPI document.", app::print_openapi);
    return chosen;
}

// `tenants` and its deeds; which of them it is stands in the wish then.
CLI::App& add_tenants(
    CLI::App& program, app::TenantsWish& wish, std::string& file, app::SettingValues& flags
) {
    wish.sudo_uid = read_environment("SUDO_UID").value_or("");
    auto& group = *program.add_subcommand(
        "tenants", "List tenants, set their plans and limits, suspend and resume them."
    );
    group.require_subcommand(1);
    const auto add = [&](app::TenantsDeed deed, const char* name, const char* help) {
        auto* command = group.add_subcommand(name, help);
        command->parse_complete_callback([&wish, deed] { wish.deed = deed; });
        auto* tenant = command->add_option("tenant", wish.tenant, "The tenant, by id or slug.");
        if (deed != app::TenantsDeed::list && deed != app::TenantsDeed::certificates) {
            tenant->required();
            command
                ->add_option(
                    "--reason", wish.reason, "Why, on one line; of limits and a suspension the "
                                             "tenant's people read it."
                )
                ->required();
        }
        command->add_flag("--json", wish.is_json, "Print JSON.");
        add_settings(*command, file, flags);
        return command;
    };
    using app::TenantsDeed;
    add(TenantsDeed::list, "list", "All tenants; one of them with its own limits.");
    auto* set_plan = add(TenantsDeed::set_plan, "set-plan", "Give a tenant another plan.");
    set_plan->add_option("plan", wish.plan, "free, pro, team or enterprise.")->required();
    set_plan->add_option(
        "--plan-version", wish.plan_version, "Of the plan (default: the newest)."
    );
    auto* set_limit = add(
        TenantsDeed::set_limit, "set-limit", "Another limit for this tenant than its plan's."
    );
    constexpr const char* kLimits =
        "members, vms, keys, requests_per_minute, calls_per_month or tokens_per_day.";
    set_limit->add_option("limit", wish.limit, kLimits)->required();
    set_limit->add_option("value", wish.value, "A number, or unlimited.")->required();
    set_limit->add_option(
        "--expires", wish.expires, "When the plan's counts again, as in 2027-01-31T00:00:00Z."
    );
    add(TenantsDeed::clear_limit, "clear-limit", "The plan's limit again.")
        ->add_option("limit", wish.limit, kLimits)
        ->required();
    add(TenantsDeed::suspend, "suspend", "Let a tenant read what it has, and change nothing.");
    add(TenantsDeed::resume, "resume", "End a suspension, or take a deletion back.");
    add(TenantsDeed::certificates, "certificates", "What is left of tenants that were deleted.");
    return group;
}

void add_egress_options(CLI::App& command, app::EgressQuestion& question) {
    command.add_option("url", question.url, "The URL.")->required();
    command.add_flag("--json", question.is_json, "Print JSON.");
}

void add_authority_options(CLI::App& command, std::string& wish) {
    command
        .add_option(
            "wish", wish,
            "show: print its certificate; rotate: let another follow it; retire: end the former one"
        )
        ->check(CLI::IsMember({"show", "rotate", "retire"}));
}

constexpr const char* kPassphraseHelp =
    "File with the passphrase, 16 characters or more, mode 0600; neither beside the backup nor in "
    "the data directory.";

CLI::App& add_backup(CLI::App& program, app::BackupWish& wish) {
    auto& command = *program.add_subcommand(
        "backup", "Write databases and keys to a sealed file, while the control plane serves."
    );
    auto* to = command.add_option("--to", wish.file, "The file to write; one there is replaced.");
    auto* verify = command.add_option(
        "--verify", wish.verified,
        "Write nothing: unpack this backup elsewhere and try what is in it."
    );
    to->excludes(verify);
    command.add_option("--passphrase-file", wish.passphrase_file, kPassphraseHelp)->required();
    command.add_option(
        "--work-dir", wish.work_dir,
        "Where plain copies are put meanwhile (default the data directory; --verify: /var/tmp)."
    );
    command.add_flag("--json", wish.is_json, "Print JSON.");
    return command;
}

CLI::App& add_restore(CLI::App& program, app::RestoreWish& wish) {
    auto& command = *program.add_subcommand(
        "restore", "Bring databases and keys back from a backup; the control plane is stopped."
    );
    command.add_option("file", wish.file, "The backup.")->required();
    command.add_option("--passphrase-file", wish.passphrase_file, kPassphraseHelp)->required();
    command.add_flag(
        "--replace", wish.is_replacing, "Move what is there aside; nothing is deleted."
    );
    command.add_flag(
        "--revoke-credentials", wish.are_credentials_revoked,
        "Revoke all API keys and enrollment tokens of the backup: those that were revoked after "
        "it would work again."
    );
    command.add_flag("--json", wish.is_json, "Print JSON.");
    return command;
}

// Settings that cannot be read decide nothing about a URL: not the code of a refused one.
int refuse_usage(const std::string& why) {
    std::fprintf(stderr, "synapsex-controlplane: %s\n", why.c_str());
    return kUsageError;
}

int print_settings(const app::ConfigSources& sources) {
    const auto text = app::print_config(sources);
    if (!text) throw app::StartRefused(text.error().detail);
    std::fputs(text->c_str(), stdout);
    return 0;
}

int run(int argc, char** argv) {
    CLI::App program{"The SynapseX control plane.", "synapsex-controlplane"};
    program.set_version_flag("--version", std::string{kVersion});
    program.require_subcommand(1);
    app::ConfigSources sources{{}, read_environment, {}};
    bool is_config_printed = false;
    std::string file;

    auto& serve = *program.add_subcommand("serve", "Serve /v1 until SIGTERM.");
    auto& init = *program.add_subcommand("init", "Make keys, tables, the first tenant and owner.");
    app::RecoverOwnerWish recovery_wish;
    auto& recover_owner = add_recover_owner(program, recovery_wish);
    auto& keys = *program.add_subcommand("keys", "List the keys by their ids; nothing secret.");
    auto& service_key = *program.add_subcommand(
        "service-key", "Print the public key by which services elsewhere believe those here."
    );
    auto& check_egress = *program.add_subcommand(
        "check-egress", "Say whether a URL that a tenant supplied would be sent to, and why."
    );
    auto& authority = *program.add_subcommand("authority", "Show or replace what agents pin.");
    std::string authority_wish = "show";
    add_authority_options(authority, authority_wish);
    app::BackupWish backup_wish;
    app::RestoreWish restore_wish;
    auto& backup = add_backup(program, backup_wish);
    auto& restore = add_restore(program, restore_wish);
    for (auto* command :
         {&serve, &init, &recover_owner, &keys, &service_key, &check_egress, &authority, &backup,
          &restore})
        add_settings(*command, file, sources.flags);
    bool is_only_migrated = false;
    add_serve_options(serve, is_config_printed, is_only_migrated);
    app::InitWish wish;
    add_init_options(init, wish);
    app::EgressQuestion question;
    add_egress_options(check_egress, question);
    app::TenantsWish tenants_wish;
    auto& tenants = add_tenants(program, tenants_wish, file, sources.flags);
    const auto list = add_catalog(program);

    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.exit(error) == 0 ? 0 : kUsageError;
    }
    set_log_level(LogLevel::warning);
    if (!backup_wish.verified.empty()) return app::verify_backup(backup_wish);
    if (backup && backup_wish.file.empty()) return refuse_usage("backup needs --to or --verify");
    if (*list) return (*list)();

    sources.file = config_file_of(file);
    if (is_config_printed) return print_settings(sources);
    const auto config = app::load_config(sources);
    if (!config && check_egress) return refuse_usage(config.error().detail);
    if (!config) throw app::StartRefused(config.error().detail);
    if (check_egress) return app::check_egress(*config, question);
    if (backup) return app::backup(*config, backup_wish);
    if (restore) return app::restore(*config, restore_wish);
    set_log_level(config->log_level);
    if (init) return app::init(*config, wish);
    if (recover_owner) return app::recover_owner(*config, recovery_wish);
    if (tenants) return app::administer_tenants(*config, tenants_wish);
    if (keys) return app::list_keys(*config);
    if (service_key) return app::print_service_key(*config);
    if (authority) return app::manage_authority(*config, authority_wish_of(authority_wish));
    return is_only_migrated ? app::migrate(*config) : app::serve(*config);
}

}  // namespace

int main(int argc, char** argv) {
    synapsex::forbid_core_dumps();
    synapsex::hide_memory();
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "synapsex-controlplane: %s\n", error.what());
        return 1;
    }
}
