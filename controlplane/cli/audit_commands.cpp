#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/services/audit/api.hpp"

namespace synapsex::cli {

namespace {

using audit::AuditEntry;

struct AuditOptions {
    std::string id;
    std::string actor;
    std::string action;
    std::string subject;
    std::string request_id;
    std::string address;
    std::string since;
    std::string until;
    std::int64_t limit = 100;
};

// "2h" is two hours ago.
Result<std::optional<Timestamp>> instant_of(
    const Context& context, const std::string& option, const std::string& text
) {
    if (text.empty()) return std::optional<Timestamp>{};
    if (const auto instant = parse_rfc3339(text)) return instant;
    if (const auto ago = parse_duration(text))
        return std::optional<Timestamp>{context.now() - *ago};
    return usage_problem(
        option + " takes a time back from now (15m, 2h, 7d) or an instant " +
        "(2026-01-02T03:04:05Z), not \"" + text + "\"."
    );
}

template <class Wish>
Result<Done> set_time(const Context& context, const AuditOptions& options, Wish& wish) {
    SYNAPSEX_TRY(wish.from, instant_of(context, "--since", options.since));
    SYNAPSEX_TRY(wish.to, instant_of(context, "--until", options.until));
    if (wish.from && wish.to && *wish.from > *wish.to)
        return usage_problem("The time begins after its end: see --since and --until.");
    return Done{};
}

void set_filter(std::optional<audit::FilterText>& filter, const std::string& text) {
    if (!text.empty()) filter.emplace().value = text;
}

// Who asked first: the user, whatever spoke for it.
std::string actor_text(const AuditEntry& entry) {
    if (entry.actor.empty()) return "nobody signed in";
    const auto& actor = entry.actor.front();
    return actor.id.empty() ? actor.type : actor.id;
}

// The key with which a program did. That a user had a session goes without saying.
std::string key_text(const AuditEntry& entry) {
    const auto found = std::ranges::find(entry.actor, "api_key", &audit::Actor::type);
    return found == entry.actor.end() ? std::string{} : found->id;
}

// What people call it, where the entry has that.
std::string name_in(const AuditEntry& entry) {
    boost::system::error_code error;
    const auto data = boost::json::parse(entry.data.value, error);
    if (error || !data.is_object()) return {};
    const auto* name = data.get_object().if_contains("name");
    return name && name->is_string() ? std::string{name->get_string()} : std::string{};
}

Result<Done> list_entries(Context& context, const AuditOptions& options) {
    audit::ListEntries wish;
    SYNAPSEX_CHECK(set_time(context, options, wish));
    set_filter(wish.actor, options.actor);
    set_filter(wish.action, options.action);
    set_filter(wish.subject, options.subject);
    set_filter(wish.request_id, options.request_id);
    set_filter(wish.client_address, options.address);
    SYNAPSEX_TRY(
        const auto listing, list_up_to(context, audit::kListEntries, wish, options.limit)
    );
    print_listing(
        context,
        listing,
        Table{
            {{"TIME"},
             {"ACTION"},
             {"SUBJECT", Align::left, {.width_min = 14}},
             {"NAME", Align::left, {.width_min = 8, .leaves = 2}},
             {"ACTOR"},
             {"FROM"},
             {"WITH KEY", Align::left, {.leaves = 3}},
             {"ID", Align::left, {.leaves = 1}}}},
        "There are no such entries.",
        [](const AuditEntry& entry) {
            const bool is_denial = entry.action == "access.denied";
            return std::vector<Cell>{
                {format_instant(entry.time)},
                {entry.action, is_denial ? Style::bad : Style::plain},
                {entry.subject},
                {name_in(entry)},
                {actor_text(entry)},
                {entry.client_address.value_or("")},
                {key_text(entry)},
                {entry.id.text(), Style::dim}};
        }
    );
    return Done{};
}

Result<Done> get_entry(Context& context, const AuditOptions& options) {
    SYNAPSEX_TRY(const auto id, id_argument<audit::EntryId>(options.id, "an entry (evt_…)"));
    SYNAPSEX_TRY(const auto entry, context.call(audit::kGetEntry, {id}));
    if (context.wants_json()) {
        context.print_last_answer();
        return Done{};
    }
    auto facts = Table::of_facts();
    const auto add = [&](const char* name, const std::optional<std::string>& value) {
        if (value && !value->empty()) facts.add({{name}, {*value}});
    };
    add("entry", entry.id.text());
    add("sequence", std::to_string(entry.sequence));
    add("time", format_instant(entry.time));
    add("recorded", format_instant(entry.recorded_at));
    add("action", entry.action);
    add("subject", entry.subject);
    for (const auto& actor : entry.actor) add("actor", actor.type + " " + actor.id);
    if (entry.actor.empty()) add("actor", "nobody signed in");
    add("on behalf of", entry.on_behalf_of);
    add("from", entry.client_address);
    add("request", entry.request_id);
    add("decision", entry.decision_id);
    add("arguments", entry.argument_digest);
    add("data", entry.data.value);
    add("hash", entry.hash);
    add("hash before", entry.prev_hash);
    context.print(facts);
    return Done{};
}

// Line by line as the server sends them: --json changes nothing.
Result<Done> export_entries(Context& context, const AuditOptions& options) {
    audit::ExportEntries wish;
    SYNAPSEX_CHECK(set_time(context, options, wish));
    std::int64_t count = 0;
    std::optional<std::string> next;
    do {
        SYNAPSEX_TRY(const auto lines, context.call(audit::kExportEntries, wish));
        count += std::ssize(lines.items);
        const auto* answer = context.last_answer();
        if (!lines.items.empty()) context.print_json(answer->body);
        if (!context.surroundings().out) return Done{};
        next = next_cursor_of(*answer);
        if (next) wish.cursor = api::Cursor{*next};
    } while (next);
    context.note("{} entries.", {format_count(count)});
    return Done{};
}

using SharedOptions = std::shared_ptr<AuditOptions>;

void choose_with(
    CLI::App* command, Action& chosen, SharedOptions options,
    Result<Done> (*run)(Context&, const AuditOptions&)
) {
    command->callback([&chosen, options = std::move(options), run] {
        chosen = [options, run](Context& context) { return run(context, *options); };
    });
}

void add_time_options(CLI::App& command, AuditOptions& options) {
    command.add_option("--since", options.since, "What happened then or later: 2h, or an instant")
        ->type_name("TIME");
    command.add_option("--until", options.until, "What happened before then: 1h, or an instant")
        ->type_name("TIME");
}

void add_list(CLI::App& group, Action& chosen, const SharedOptions& options) {
    auto* list = group.add_subcommand("list", "List what happened, newest first");
    list->add_option("--actor", options->actor, "Who asked: a user, key, session or agent")
        ->type_name("ID");
    list->add_option("--action", options->action, "What: \"api_key.created\", or \"api_key.\"");
    list->add_option("--subject", options->subject, "To what")->type_name("ID");
    list->add_option("--request-id", options->request_id, "By one request")->type_name("ID");
    list->add_option("--address", options->address, "From where")->type_name("IP");
    add_time_options(*list, *options);
    add_limit_option(*list, options->limit);
    add_footer(
        *list,
        "On a terminal, columns that do not fit are left out; elsewhere all are there.\n"
        "Who minted which key, from where and when:\n"
        "  synapsexctl audit list --action api_key.\n"
        "Who was refused something in the last day:\n"
        "  synapsexctl audit list --action access.denied --since 24h"
    );
    choose_with(list, chosen, options, list_entries);
}

}  // namespace

void add_audit_commands(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<AuditOptions>();
    auto* group = app.add_subcommand("audit", "The audit log: what happened, by whom, from where");
    group->require_subcommand(1);
    add_list(*group, chosen, options);
    auto* get = group->add_subcommand("get", "Show all of an entry");
    get->add_option("ID", options->id, "The entry (evt_…)")->required();
    choose_with(get, chosen, options, get_entry);
    auto* all = group->add_subcommand("export", "Print entries, oldest first, a line of JSON each");
    add_time_options(*all, *options);
    add_footer(
        *all,
        "The lines go to standard output, and how many there are to standard error. What is added\n"
        "meanwhile is not among them; the export is an entry of the log itself.\n"
        "Example: synapsexctl audit export --since 7d > week.ndjson"
    );
    choose_with(all, chosen, options, export_entries);
}

}  // namespace synapsex::cli
