#include <CLI/CLI.hpp>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/fleet.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/cli/vm_verify.hpp"
#include "controlplane/cli/vm_view.hpp"
#include "controlplane/cli/vm_watch.hpp"
#include "controlplane/services/agent_registry/api.hpp"
#include "controlplane/services/vm_registry/api.hpp"

namespace synapsex::cli {

namespace {

using vm_registry::State;

struct VmOptions {
    std::string vm;
    std::string state;
    std::string name;
    std::string prefix;
    std::string since;
    std::string from;
    std::string to;
    std::string interval = "2s";
    std::vector<std::string> keys;
    std::int64_t samples_max = 0;
    std::int64_t limit = kListLimit;
    bool ids_only = false;
};

Result<Done> list_vms(Context& context, const VmOptions& options) {
    vm_registry::ListVms wish;
    wish.state = parse_enum<State>(options.state);
    if (!options.name.empty()) wish.name.emplace().value = options.name;
    SYNAPSEX_TRY(
        const auto listing, list_up_to(context, vm_registry::kListVms, wish, options.limit)
    );
    if (options.ids_only && !context.wants_json()) {
        for (const auto& vm : listing.items) context.say("{}", {vm.id.text()});
        note_if_cut(context, listing.items.size(), listing.has_more);
        return Done{};
    }
    print_listing(
        context,
        listing,
        table_of_vms(),
        wish.state || wish.name ? std::string{"There are no such VMs."}
                                : "There are no VMs. Enroll one with a token from " +
                                      context.command("tokens create") + ".",
        [&](const vm_registry::VmSummary& vm) { return row_of(vm, context.now()); }
    );
    return Done{};
}

Result<Done> get_vm(Context& context, const VmOptions& options) {
    SYNAPSEX_TRY(const auto id, find_vm(context, options.vm));
    SYNAPSEX_TRY(const auto vm, context.call(vm_registry::kGetVm, {id}));
    if (context.wants_json()) {
        context.print_last_answer();
        return Done{};
    }
    const auto agent = context.call(agent_registry::kGetAgent, {vm.agent_id});
    std::string paused;
    if (!agent)
        paused = "not known: " + agent.error().detail;
    else if (agent->pause)
        paused = pause_text(*agent->pause);
    print_vm(context, vm, paused);
    return Done{};
}

Result<Done> list_packages(Context& context, const VmOptions& options) {
    SYNAPSEX_TRY(const auto id, find_vm(context, options.vm));
    vm_registry::ListPackages wish;
    wish.vm_id = id;
    if (!options.prefix.empty()) wish.prefix.emplace().value = options.prefix;
    SYNAPSEX_TRY(
        const auto listing, list_up_to(context, vm_registry::kListPackages, wish, options.limit)
    );
    print_listing(
        context,
        listing,
        Table{
            {{"PACKAGE", Align::left, {.width_min = 20}},
             {"VERSION", Align::left, {.width_min = 20}},
             {"ARCHITECTURE", Align::left, {.leaves = 1}}}},
        options.prefix.empty() ? "The agent has reported no packages."
                               : "No package's name starts like this.",
        [](const vm_registry::Package& package) {
            return std::vector<Cell>{{package.name}, {package.version}, {package.architecture}};
        }
    );
    return Done{};
}

Result<std::optional<Timestamp>> instant_argument(const std::string& text) {
    if (text.empty()) return std::optional<Timestamp>{};
    if (const auto instant = parse_rfc3339(text)) return instant;
    return usage_problem("\"" + text + "\" is no instant; write 2026-01-02T03:04:05Z.");
}

Result<Done> read_telemetry(Context& context, const VmOptions& options) {
    vm_registry::ReadTelemetry wish;
    SYNAPSEX_TRY(wish.from, instant_argument(options.from));
    SYNAPSEX_TRY(wish.to, instant_argument(options.to));
    if (!options.since.empty()) {
        SYNAPSEX_TRY(const auto since, parse_duration(options.since));
        wish.from = context.now() - since;
    }
    if (wish.from && wish.to && *wish.from > *wish.to)
        return usage_problem("The time begins after its end: see --from, --since and --to.");
    SYNAPSEX_TRY(wish.vm_id, find_vm(context, options.vm));
    SYNAPSEX_TRY(
        const auto listing, list_up_to(context, vm_registry::kReadTelemetry, wish, options.limit)
    );
    print_listing(
        context,
        listing,
        table_of_telemetry(),
        "There is no telemetry of that time.",
        [](const vm_registry::TelemetryPoint& point) { return row_of(point); }
    );
    return Done{};
}

Result<Done> watch(Context& context, const VmOptions& options) {
    SYNAPSEX_TRY(const auto interval, parse_duration(options.interval));
    return watch_vms(
        context,
        {.vm = options.vm,
         .state = parse_enum<State>(options.state),
         .interval = interval,
         .samples_max = options.samples_max}
    );
}

Result<Done> verify(Context& context, const VmOptions& options) {
    return verify_vm(context, {.vm = options.vm, .keys = options.keys});
}

using SharedOptions = std::shared_ptr<VmOptions>;
using Command = Result<Done> (*)(Context&, const VmOptions&);

CLI::App* add_command(
    CLI::App& group, std::string name, std::string text, const SharedOptions& options
) {
    auto* command = group.add_subcommand(std::move(name), std::move(text));
    command->add_option("VM", options->vm, "Its id or name")->required();
    return command;
}

void choose_with(CLI::App* command, Action& chosen, SharedOptions options, Command run) {
    command->callback([&chosen, options = std::move(options), run] {
        chosen = [options, run](Context& context) { return run(context, *options); };
    });
}

CLI::Option* add_state_option(CLI::App& command, std::string& state) {
    return command.add_option("--state", state, "Only those in this state")
        ->check(CLI::IsMember(words_of<State>()));
}

void add_list(CLI::App& group, Action& chosen, const SharedOptions& options) {
    auto* list = group.add_subcommand("list", "List VMs with their state and latest telemetry");
    add_state_option(*list, options->state);
    list->add_option("--name", options->name, "Only those of this name");
    list->add_flag("-q,--ids", options->ids_only, "Print only ids");
    add_limit_option(*list, options->limit);
    add_footer(
        *list,
        "On a terminal, columns that do not fit are left out; elsewhere all are there.\n"
        "Examples:\n"
        "  synapsexctl vms list --state offline\n"
        "  synapsexctl vms list --json | jq '.items[].name'"
    );
    choose_with(list, chosen, options, list_vms);
}

void add_telemetry(CLI::App& group, Action& chosen, const SharedOptions& options) {
    auto* telemetry =
        add_command(group, "telemetry", "Show a VM's telemetry, oldest first", options);
    auto* since = telemetry->add_option("--since", options->since, "How far back: 15m, 1h, 2d");
    since->type_name("DURATION");
    telemetry->add_option("--from", options->from, "The first instant (RFC 3339)")
        ->type_name("INSTANT")
        ->excludes(since);
    telemetry->add_option("--to", options->to, "The last instant (RFC 3339)")->type_name("INSTANT");
    add_limit_option(*telemetry, options->limit);
    add_footer(
        *telemetry,
        "Without --since and --from, the last hour.\n"
        "Example: synapsexctl vms telemetry web-1 --since 15m"
    );
    choose_with(telemetry, chosen, options, read_telemetry);
}

void add_watch(CLI::App& group, Action& chosen, const SharedOptions& options) {
    auto* watch_command = group.add_subcommand("watch", "Show telemetry as it is sampled");
    const auto most = std::to_string(kVmsWatchedMax);
    auto* vm = watch_command->add_option(
        "VM", options->vm, "Its id or name; without it, the first " + most + " of vms list"
    );
    add_state_option(*watch_command, options->state)->excludes(vm);
    watch_command->add_option("--interval", options->interval, "How often to look")
        ->type_name("DURATION")
        ->capture_default_str();
    add_number_option(
        *watch_command, "--count", options->samples_max, "End after this many samples"
    );
    add_footer(
        *watch_command,
        "On a terminal the picture is drawn again in place; elsewhere, and with --json, every\n"
        "new sample is a line. Ctrl-C ends, with exit code 0; with --count and samples still to\n"
        "come, with 130 (143 after SIGTERM).\n"
        "Examples:\n"
        "  synapsexctl vms watch web-1\n"
        "  synapsexctl vms watch --state degraded\n"
        "  synapsexctl vms watch web-1 --count 4 --json"
    );
    choose_with(watch_command, chosen, options, watch);
}

void add_verify(CLI::App& group, Action& chosen, const SharedOptions& options) {
    auto* verify_command = add_command(
        group, "verify", "Check that the inventory shown of a VM is what its agent signed", options
    );
    verify_command
        ->add_option(
            "--key", options->keys,
            "Believe only this key, as `synapsex-agent status` shows it on the VM; may be repeated"
        )
        ->type_name("KEY_ID");
    add_footer(
        *verify_command,
        "Fails, with exit code 1, unless every section is proven. A VM that has replaced its key\n"
        "may have sections of both.\n"
        "Example: synapsexctl vms verify web-1 --key n4bQgYhMfWWaL-qg"
    );
    choose_with(verify_command, chosen, options, verify);
}

}  // namespace

void add_vm_commands(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<VmOptions>();
    auto* group = app.add_subcommand("vms", "Your VMs: what they are and how they do");
    group->require_subcommand(1);
    add_list(*group, chosen, options);
    choose_with(
        add_command(*group, "get", "Show all that is known of a VM", options),
        chosen,
        options,
        get_vm
    );
    auto* packages = add_command(*group, "packages", "List a VM's installed packages", options);
    packages->add_option("--prefix", options->prefix, "Only names that start like this");
    add_limit_option(*packages, options->limit);
    choose_with(packages, chosen, options, list_packages);
    add_telemetry(*group, chosen, options);
    add_watch(*group, chosen, options);
    add_verify(*group, chosen, options);
}

}  // namespace synapsex::cli
