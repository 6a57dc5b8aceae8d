#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iterator>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/fleet.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/services/agent_registry/api.hpp"

namespace synapsex::cli {

namespace {

using agent_registry::Agent;
using agent_registry::State;

struct AgentOptions {
    std::string agent;
    std::string name;
    std::string state;
    std::int64_t limit = kListLimit;
    bool ids_only = false;
    bool is_confirmed = false;
};

Result<Done> list_agents(Context& context, const AgentOptions& options) {
    agent_registry::ListAgents wish;
    wish.status = parse_enum<State>(options.state);
    SYNAPSEX_TRY(
        const auto listing, list_up_to(context, agent_registry::kListAgents, wish, options.limit)
    );
    if (options.ids_only && !context.wants_json()) {
        for (const auto& agent : listing.items) context.say("{}", {agent.id.text()});
        note_if_cut(context, listing.items.size(), listing.has_more);
        return Done{};
    }
    std::vector<Column> columns{
        {"NAME", Align::left, {.width_min = 16}},
        {"STATE"},
        {"SEEN", Align::left, {.leaves = 4}},
        {"VERSION", Align::left, {.leaves = 3}},
        {"ID", Align::left, {.leaves = 2}},
        {"VM", Align::left, {.leaves = 1}}};
    const bool has_pauses = std::ranges::any_of(
        listing.items, [](const Agent& agent) { return agent.pause.has_value(); }
    );
    if (has_pauses) columns.push_back({"PAUSED", Align::left, {.width_min = 30}});
    print_listing(
        context,
        listing,
        Table{std::move(columns)},
        wish.status ? std::string{"No agent is in this state."}
                    : "There are no agents. Enroll a VM with a token from " +
                          context.command("tokens create") + ".",
        [&](const Agent& agent) {
            std::vector<Cell> cells{
                {agent.name},
                state_cell(agent.status),
                {format_relative(agent.last_seen_at, context.now())},
                {agent.version},
                {agent.id.text(), Style::dim},
                {agent.vm_id.text(), Style::dim}};
            if (agent.pause) cells.push_back({pause_text(*agent.pause), Style::warning});
            return cells;
        }
    );
    return Done{};
}

// The numbers of shared/proto/CAPABILITIES.md in words, from 1 on.
constexpr std::array<std::string_view, 7> kCapabilities{
    "long poll", "inventory", "live telemetry", "unprivileged", "key replacement", "paused",
    "signed inventory"};

std::string words_of_capabilities(const std::vector<std::int64_t>& numbers) {
    std::string text;
    for (const auto number : numbers) {
        if (!text.empty()) text += ", ";
        const auto is_known = 1 <= number && number <= std::ssize(kCapabilities);
        text += is_known ? std::string{kCapabilities[static_cast<std::size_t>(number) - 1]}
                         : std::to_string(number) + " (newer than this program)";
    }
    return text;
}

Result<Done> get_agent(Context& context, const AgentOptions& options) {
    SYNAPSEX_TRY(const auto id, find_agent(context, options.agent));
    SYNAPSEX_TRY(const auto agent, context.call(agent_registry::kGetAgent, {id}));
    if (context.wants_json()) {
        context.print_last_answer();
        return Done{};
    }
    auto facts = Table::of_facts();
    facts.add({"Name", {agent.name, Style::bold}});
    facts.add({"State", state_cell(agent.status)});
    facts.add({"Seen", format_relative(agent.last_seen_at, context.now())});
    if (agent.pause) {
        facts.add({"Paused", {pause_text(*agent.pause), Style::warning}});
        if (agent.pause->since) facts.add({"Paused since", format_instant(*agent.pause->since)});
    }
    if (!agent.description.empty()) facts.add({"Description", agent.description});
    facts.add({"Version", agent.version});
    facts.add({"Capabilities", words_of_capabilities(agent.capabilities)});
    facts.add({"Enrolled", format_instant(agent.created_at)});
    facts.add({"Key", agent.key.id + " since " + format_instant(agent.key.since)});
    if (agent.key.next_id) facts.add({"Next key", *agent.key.next_id + ", not used yet"});
    if (agent.key.wanted_at)
        facts.add({"Another key", "wanted since " + format_instant(*agent.key.wanted_at)});
    facts.add({"Id", agent.id.text()});
    facts.add({"VM", agent.vm_id.text()});
    context.print(facts);
    return Done{};
}

Result<Done> rename_agent(Context& context, const AgentOptions& options) {
    agent_registry::UpdateAgent wish;
    SYNAPSEX_TRY(wish.agent_id, find_agent(context, options.agent));
    wish.name.emplace().value = options.name;
    SYNAPSEX_TRY(const auto agent, context.call(agent_registry::kUpdateAgent, wish));
    if (context.wants_json())
        context.print_last_answer();
    else
        context.say("{} is {} now.", {options.agent, agent.name});
    return Done{};
}

Result<Done> rotate_key(Context& context, const AgentOptions& options) {
    SYNAPSEX_TRY(const auto id, find_agent(context, options.agent));
    SYNAPSEX_TRY(const auto wanted, context.call(agent_registry::kRotateKey, {id}));
    if (context.wants_json())
        context.print_last_answer();
    else
        context.say(
            "{} replaces its key {} with its next heartbeat; {} shows the new one.",
            {options.agent, wanted.key_id, context.command("agents get " + options.agent)}
        );
    return Done{};
}

Result<Done> confirm_removal(Context& context, const AgentOptions& options) {
    if (options.is_confirmed) return Done{};
    auto& surroundings = context.surroundings();
    if (!surroundings.is_in_terminal)
        return usage_problem("Removing cannot be undone: confirm it with --yes.");
    surroundings.err << sentence(
        "Remove {} and what is known of its VM? It has to enroll again to come back. [y/N] ",
        {options.agent}
    ) << std::flush;
    std::string answer;
    std::getline(surroundings.in, answer);
    if (answer == "y" || answer == "Y" || answer == "yes") return Done{};
    return Problem{
        .kind = Kind::internal, .code = "cli.canceled", .detail = "Nothing was removed."};
}

Result<Done> remove_agent(Context& context, const AgentOptions& options) {
    SYNAPSEX_TRY(const auto id, find_agent(context, options.agent));
    SYNAPSEX_CHECK(confirm_removal(context, options));
    SYNAPSEX_CHECK(context.call(agent_registry::kRemoveAgent, {id}));
    if (context.wants_json())
        context.print_last_answer();
    else
        context.say("Removed {}.", {options.agent});
    return Done{};
}

}  // namespace

void add_agent_commands(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<AgentOptions>();
    auto* group = app.add_subcommand("agents", "The daemons on your VMs");
    group->require_subcommand(1);

    auto* list = group->add_subcommand("list", "List agents");
    list->add_option("--state", options->state, "Only those in this state")
        ->check(CLI::IsMember(words_of<State>()));
    list->add_flag("-q,--ids", options->ids_only, "Print only ids");
    add_limit_option(*list, options->limit);
    list->callback([&chosen, options] {
        chosen = [options](Context& context) { return list_agents(context, *options); };
    });

    auto* get = group->add_subcommand("get", "Show an agent");
    get->add_option("AGENT", options->agent, "Its id or name")->required();
    get->callback([&chosen, options] {
        chosen = [options](Context& context) { return get_agent(context, *options); };
    });

    auto* rename = group->add_subcommand("rename", "Give an agent and its VM another name");
    rename->add_option("AGENT", options->agent, "Its id or name")->required();
    rename->add_option("NAME", options->name, "The new name")->required();
    add_footer(*rename, "Example: synapsexctl agents rename web-1 web-2");
    rename->callback([&chosen, options] {
        chosen = [options](Context& context) { return rename_agent(context, *options); };
    });

    auto* rotate = group->add_subcommand(
        "rotate-key", "Have an agent replace its key, without enrolling again"
    );
    rotate->add_option("AGENT", options->agent, "Its id or name")->required();
    add_footer(*rotate, "Example: synapsexctl agents rotate-key web-1");
    rotate->callback([&chosen, options] {
        chosen = [options](Context& context) { return rotate_key(context, *options); };
    });

    auto* remove = group->add_subcommand("remove", "Remove an agent and its VM");
    remove->add_option("AGENT", options->agent, "Its id or name")->required();
    remove->add_flag("-y,--yes", options->is_confirmed, "Do not ask");
    add_footer(*remove, "Example: synapsexctl agents remove web-1");
    remove->callback([&chosen, options] {
        chosen = [options](Context& context) { return remove_agent(context, *options); };
    });
}

}  // namespace synapsex::cli
