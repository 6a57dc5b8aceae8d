#include <CLI/CLI.hpp>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/enum_words.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/services/auth/api.hpp"
#include "controlplane/services/tenant/plan_api.hpp"

namespace synapsex::cli {

namespace {

std::string shown(const std::optional<std::int64_t>& limit) {
    return limit ? format_count(*limit) : "unlimited";
}

std::string said_of_source(const tenant::EffectiveLimit& limit) {
    if (limit.source == tenant::LimitSource::plan) return "of the plan";
    auto text = "set for this tenant: " + limit.reason.value_or("");
    if (limit.expires_at) text += ", until " + format_instant(*limit.expires_at);
    return text;
}

std::string said_of_state(const tenant::TenantPlan& plan) {
    auto text = word_of(plan.state);
    if (plan.reason) text += ": " + *plan.reason;
    if (plan.delete_after) text += ", may be gone after " + format_instant(*plan.delete_after);
    return text;
}

void print_plan(Context& context, const tenant::TenantPlan& plan) {
    if (context.wants_json()) return context.print_last_answer();
    auto facts = Table::of_facts();
    facts.add({"Tenant", {plan.tenant_id.text(), Style::dim}});
    facts.add({"Plan", {word_of(plan.plan) + ", version " + std::to_string(plan.plan_version)}});
    facts.add({"State", {said_of_state(plan)}});
    context.print(facts);
    Table table{
        {{"LIMIT"},
         {"AT MOST", Align::right},
         {"USED", Align::right, {.leaves = 2}},
         {"SOURCE", Align::left, {.width_min = 12, .leaves = 1}}}};
    for (const auto& limit : plan.limits)
        table.add(
            {{word_of(limit.name)},
             {shown(limit.value)},
             {limit.used ? format_count(*limit.used) : ""},
             {said_of_source(limit)}}
        );
    context.print(table);
}

// Of the tenant that commands act in.
Result<tenant::TenantPath> here(Context& context) {
    SYNAPSEX_TRY(const auto me, context.call(auth::kMe, api::None{}));
    return tenant::TenantPath{me.tenant_id};
}

Result<Done> show_plan(Context& context) {
    SYNAPSEX_TRY(const auto path, here(context));
    SYNAPSEX_TRY(const auto plan, context.call(tenant::kGetTenantPlan, path));
    print_plan(context, plan);
    return Done{};
}

Result<Done> list_plans(Context& context) {
    SYNAPSEX_TRY(const auto plans, context.call(tenant::kListPlans, api::None{}));
    if (context.wants_json()) {
        context.print_last_answer();
        return Done{};
    }
    Table table{
        {{"PLAN"},
         {"MEMBERS", Align::right},
         {"VMS", Align::right},
         {"KEYS", Align::right},
         {"REQUESTS/MINUTE", Align::right},
         {"CALLS/MONTH", Align::right, {.leaves = 2}},
         {"TOKENS/DAY", Align::right, {.leaves = 1}}}};
    for (const auto& plan : plans.items)
        table.add(
            {{word_of(plan.name)},
             {shown(plan.limits.members)},
             {shown(plan.limits.vms)},
             {shown(plan.limits.keys)},
             {shown(plan.limits.requests_per_minute)},
             {shown(plan.limits.calls_per_month)},
             {shown(plan.limits.tokens_per_day)}}
        );
    context.print(table);
    return Done{};
}

Result<Done> delete_tenant(Context& context, const std::string& slug) {
    SYNAPSEX_TRY(const auto path, here(context));
    SYNAPSEX_TRY(
        const auto plan, context.call(tenant::kDeleteTenant, {path.tenant_id, {slug}})
    );
    print_plan(context, plan);
    if (!context.wants_json())
        context.note("Take it back with {}.", {context.command("tenants restore")});
    return Done{};
}

Result<Done> restore_tenant(Context& context) {
    SYNAPSEX_TRY(const auto path, here(context));
    SYNAPSEX_TRY(const auto plan, context.call(tenant::kRestoreTenant, path));
    print_plan(context, plan);
    return Done{};
}

}  // namespace

void add_plan_commands(CLI::App& tenants, Action& chosen) {
    tenants.add_subcommand("plan", "What the tenant may use, and how it stands")
        ->callback([&chosen] { chosen = show_plan; });
    tenants.add_subcommand("plans", "The plans, and what each allows")
        ->callback([&chosen] { chosen = list_plans; });
    const auto slug = std::make_shared<std::string>();
    auto* remove = tenants.add_subcommand(
        "delete", "Have the tenant that commands act in deleted, 30 days from now"
    );
    remove->add_option("--confirm", *slug, "Its slug, so that it is the one you mean")->required();
    remove->callback([&chosen, slug] {
        chosen = [slug](Context& context) { return delete_tenant(context, *slug); };
    });
    tenants.add_subcommand("restore", "Take that back")
        ->callback([&chosen] { chosen = restore_tenant; });
}

}  // namespace synapsex::cli
