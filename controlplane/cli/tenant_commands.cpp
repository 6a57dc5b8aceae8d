#include <CLI/CLI.hpp>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/services/auth/api.hpp"
#include "controlplane/services/tenant/api.hpp"

namespace synapsex::cli {

namespace {

bool is_named(const tenant::Tenant& tenant, const std::string& id_or_slug) {
    return tenant.id.text() == id_or_slug || tenant.slug == id_or_slug;
}

// Whatever was chosen: a tenant that has gone must not keep its members from choosing another.
Result<Listing<tenant::Tenant>> own_tenants(Context& context, std::int64_t limit) {
    SYNAPSEX_TRY(auto* session, context.session());
    const auto chosen = session->choose_tenant({});
    auto listing = list_up_to(context, tenant::kListTenants, tenant::ListTenants{}, limit);
    session->choose_tenant(chosen);
    return listing;
}

Result<Done> list_tenants(Context& context, std::int64_t limit) {
    SYNAPSEX_TRY(const auto listing, own_tenants(context, limit));
    TenantId current;
    if (!context.wants_json()) {
        const auto me = context.call(auth::kMe, api::None{});
        if (me) current = me->tenant_id;
        else if (me.error().kind != Kind::not_found) return me.error();
    }
    print_listing(
        context,
        listing,
        Table{
            {{""},
             {"SLUG"},
             {"NAME", Align::left, {.width_min = 12, .leaves = 3}},
             {"ROLE", Align::left, {.leaves = 5}},
             {"STATE", Align::left, {.leaves = 4}},
             {"CREATED", Align::left, {.leaves = 2}},
             {"ID", Align::left, {.leaves = 1}}}},
        "You belong to no tenant.",
        [&](const tenant::Tenant& tenant) {
            const bool is_current = tenant.id == current;
            const auto look = is_current ? Style::bold : Style::plain;
            return std::vector<Cell>{
                {is_current ? "*" : ""},
                {tenant.slug, look},
                {tenant.name},
                {word_of(tenant.role)},
                {word_of(tenant.state)},
                {format_relative(tenant.created_at, context.now())},
                {tenant.id.text(), Style::dim}};
        }
    );
    return Done{};
}

Problem no_such_tenant(const Context& context, const std::string& id_or_slug) {
    return {
        .kind = Kind::not_found,
        .code = "cli.tenant_not_found",
        .detail = "You belong to no tenant \"" + id_or_slug + "\". See " +
                  context.command("tenants list") + "."};
}

// The choice is kept with the sign-in, so it makes no sense for one from the environment.
Result<Done> use_tenant(Context& context, const std::string& id_or_slug) {
    SYNAPSEX_TRY(const auto* session, context.session());
    const auto sign_in = session->settings().sign_in;
    if (sign_in != SignIn::file && sign_in != SignIn::nobody)
        return usage_problem("The credential comes from the environment; choose its tenant with "
                             "SYNAPSEX_TENANT_ID or --tenant.");
    SYNAPSEX_TRY(const auto listing, own_tenants(context, kListLimit));
    for (const auto& tenant : listing.items) {
        if (!is_named(tenant, id_or_slug)) continue;
        SYNAPSEX_TRY(const auto file, context.credentials_file());
        SYNAPSEX_TRY(const auto lock, file.lock());
        SYNAPSEX_TRY(auto credentials, file.load());
        if (!credentials) return no_such_tenant(context, id_or_slug);  // signed out meanwhile
        credentials->tenant_id = tenant.id.text();
        SYNAPSEX_CHECK(file.save(*credentials));
        if (context.wants_json()) {
            std::string document;
            api::Codec<tenant::Tenant>::write_json(tenant, document);
            context.print_json(document);
        } else {
            context.say("Commands now act in {} ({}).", {tenant.name, tenant.slug});
        }
        return Done{};
    }
    return no_such_tenant(context, id_or_slug);
}

}  // namespace

void add_tenant_commands(CLI::App& app, Action& chosen) {
    struct Options {
        std::int64_t limit = kListLimit;
        std::string tenant;
    };
    const auto options = std::make_shared<Options>();
    auto* group = app.add_subcommand("tenants", "The tenants that you belong to");
    group->require_subcommand(0, 1);
    auto* list = group->add_subcommand("list", "List them; * marks the one commands act in");
    add_limit_option(*list, options->limit);
    auto* use = group->add_subcommand("use", "Choose the one that commands act in");
    use->add_option("TENANT", options->tenant, "Its id or slug")->required();

    add_plan_commands(*group, chosen);
    add_footer(
        *use,
        "The choice is kept with the sign-in; --tenant and SYNAPSEX_TENANT_ID go before it.\n"
        "Example: synapsexctl tenants use acme"
    );

    const auto list_action = [options](Context& context) {
        return list_tenants(context, options->limit);
    };
    list->callback([&chosen, list_action] { chosen = list_action; });
    use->callback([&chosen, options] {
        chosen = [options](Context& context) { return use_tenant(context, options->tenant); };
    });
    group->callback([&chosen, group, list_action] {
        if (group->get_subcommands().empty()) chosen = list_action;
    });
}

}  // namespace synapsex::cli
