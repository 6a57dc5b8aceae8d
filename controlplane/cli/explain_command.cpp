#include <CLI/CLI.hpp>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/services/api_gateway/api.hpp"

namespace synapsex::cli {

namespace {

using api_gateway::Explanation;

std::string caller_text(const api_gateway::ExplainedCaller& caller) {
    const std::string_view what = caller.kind == "api_key" ? "API key " : "session ";
    return std::string{what} + caller.credential_id + " of user " + caller.user_id.text();
}

std::string scope_text(const Explanation& explanation) {
    if (!explanation.scope) return "any user or API key may";
    return *explanation.scope + (explanation.is_scope_granted.value_or(false)
                                     ? ", which the credential has"
                                     : ", which the credential does not have");
}

std::string limit_text(const api_gateway::ExplainedLimit& limit) {
    const auto allowed = format_count(limit.requests) + " requests in " +
                         format_duration(std::chrono::seconds{limit.window_seconds});
    if (limit.is_over) return allowed + "; used up, so this request was refused";
    return allowed + "; " + format_count(limit.remaining) + " left after this one";
}

std::string milliseconds(std::int64_t microseconds) {
    return format_number(static_cast<double>(microseconds) / 1000, 2) + " ms";
}

std::string times_text(const api_gateway::ExplainedTimes& times) {
    return milliseconds(times.total_microseconds) + ": " +
           milliseconds(times.waiting_microseconds) + " waiting, " +
           milliseconds(times.authentication_microseconds) + " finding out who calls, " +
           milliseconds(times.operation_microseconds) + " for the rest";
}

void print_explanation(Context& context, const Explanation& explanation) {
    const bool is_refused = explanation.status >= 400;
    auto facts = Table::of_facts();
    facts.add({"Request", explanation.request_id});
    facts.add(
        {"Answer", Cell{
            std::to_string(explanation.status) +
                (explanation.code ? " " + *explanation.code : std::string{}),
            is_refused ? Style::bad : Style::good}}
    );
    facts.add({"Why", explanation.summary});
    facts.add({"Asked", explanation.method + " " + explanation.path});
    facts.add({"Operation", explanation.operation});
    facts.add({"When", format_instant(explanation.received_at)});
    facts.add({"From", explanation.client_address});
    facts.add({"Caller", caller_text(explanation.caller)});
    facts.add({"Known from", explanation.caller.source == api_gateway::CredentialSource::memory
                                 ? "memory, some seconds old at most"
                                 : "the database, at that moment"});
    facts.add(
        {"Tenant", explanation.caller.tenant_id.text() + " (" +
                       word_of(explanation.caller.tenant_state) + "), as " +
                       word_of(explanation.caller.role)}
    );
    facts.add({"Needs scope", scope_text(explanation)});
    for (const auto& limit : explanation.limits)
        facts.add({"Limit of " + word_of(limit.kind), limit_text(limit)});
    if (explanation.limits.empty()) facts.add({"Limits", "none applied"});
    facts.add({"Took", times_text(explanation.times)});
    context.print(facts);
}

Result<Done> explain(Context& context, const std::string& request_id) {
    api_gateway::RequestPath path;
    path.request_id.value = request_id;
    SYNAPSEX_TRY(const auto explanation, context.call(api_gateway::kExplainRequest, path));
    if (context.wants_json())
        context.print_last_answer();
    else
        print_explanation(context, explanation);
    return Done{};
}

}  // namespace

void add_explain_command(CLI::App& app, Action& chosen) {
    const auto request_id = std::make_shared<std::string>();
    auto* command = app.add_subcommand(
        "explain", "Show why a request of yours was answered as it was"
    );
    command->add_option("REQUEST", *request_id, "The request id: X-Request-Id, requestId")
        ->required();
    add_footer(
        *command,
        "Of the last half hour. Every error names its request:\n"
        "  synapsexctl explain req_01jgjz2m1xq3v5n8b7w6t4r2e0"
    );
    command->callback([&chosen, request_id] {
        chosen = [request_id](Context& context) { return explain(context, *request_id); };
    });
}

}  // namespace synapsex::cli
