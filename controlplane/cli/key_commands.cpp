#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/secret_output.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/services/auth/api.hpp"

namespace synapsex::cli {

namespace {

struct KeyOptions {
    std::string name;
    std::string description;
    SecretFile file{"key"};
    std::int64_t limit = kListLimit;
    std::vector<std::string> ids;
};

Result<Done> create_key(Context& context, const KeyOptions& options) {
    auth::CreateApiKey wish;
    wish.name.value = options.name;
    if (!options.description.empty()) wish.description.emplace().value = options.description;
    SYNAPSEX_CHECK(options.file.check());
    SYNAPSEX_TRY(const auto key, context.call(auth::kCreateApiKey, wish));
    if (auto shown = show_secret(context, key.key, options.file); !shown) {
        // Nobody has seen it and nobody will.
        static_cast<void>(context.call(auth::kRevokeApiKey, {key.id}));
        return shown;
    }
    if (!context.wants_json())
        context.note("API key {} ({}). It is not shown again.", {key.name, key.id.text()});
    return Done{};
}

// The server keeps the minute, which may have begun before the key was there.
std::string format_last_use(const auth::ApiKey& key, Timestamp now) {
    if (!key.last_used_at) return "never";
    const auto used_at = std::max(*key.last_used_at, key.created_at);
    if (used_at <= now && now - used_at < std::chrono::minutes{1}) return "just now";
    return format_relative(used_at, now);
}

Result<Done> list_keys(Context& context, const KeyOptions& options) {
    SYNAPSEX_TRY(
        const auto listing,
        list_up_to(context, auth::kListApiKeys, auth::ListApiKeys{}, options.limit)
    );
    print_listing(
        context,
        listing,
        Table{
            {{"NAME", Align::left, {.width_min = 12}},
             {"KEY", Align::left, {.leaves = 4}},
             {"CREATED", Align::left, {.leaves = 1}},
             {"LAST USED", Align::left, {.leaves = 3}},
             {"ID"},
             {"DESCRIPTION", Align::left, {.width_min = 16, .leaves = 2}}}},
        "You have no API keys in this tenant. Make one with " + context.command("keys create") +
            ".",
        [&](const auth::ApiKey& key) {
            return std::vector<Cell>{
                {key.name},
                {key.prefix + "…"},
                {format_relative(key.created_at, context.now())},
                {format_last_use(key, context.now())},
                {key.id.text(), Style::dim},
                {key.description}};
        }
    );
    return Done{};
}

Result<Done> revoke_keys(Context& context, const KeyOptions& options) {
    for (const auto& text : options.ids) {
        SYNAPSEX_TRY(const auto id, id_argument<ApiKeyId>(text, "an API key (key_…)"));
        SYNAPSEX_CHECK(context.call(auth::kRevokeApiKey, {id}));
        if (!context.wants_json()) context.say("Revoked {}.", {text});
    }
    if (context.wants_json()) context.print_json({});
    return Done{};
}

}  // namespace

void add_key_commands(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<KeyOptions>();
    auto* group = app.add_subcommand("keys", "API keys, with which programs sign in as you");
    group->require_subcommand(1);

    auto* create = group->add_subcommand("create", "Make an API key");
    create->add_option("--name", options->name, "What it is for")->required();
    create->add_option("--description", options->description, "More about it");
    options->file.add_options_to(*create);
    add_footer(
        *create,
        "The key is all that goes to standard output. Programs give it in SYNAPSEX_API_KEY:\n"
        "  synapsexctl keys create --name backup-script --key-file key\n"
        "  SYNAPSEX_API_KEY=$(cat key) synapsexctl vms list"
    );
    create->callback([&chosen, options] {
        chosen = [options](Context& context) { return create_key(context, *options); };
    });

    auto* list = group->add_subcommand("list", "List your API keys in this tenant");
    add_limit_option(*list, options->limit);
    list->callback([&chosen, options] {
        chosen = [options](Context& context) { return list_keys(context, *options); };
    });

    auto* revoke = group->add_subcommand("revoke", "Revoke API keys, at once");
    revoke->add_option("ID", options->ids, "Ids of keys (key_…)")->required();
    add_footer(*revoke, "Example: synapsexctl keys revoke key_01jgjz2m1xq3v5n8b7w6t4r2e0");
    revoke->callback([&chosen, options] {
        chosen = [options](Context& context) { return revoke_keys(context, *options); };
    });
}

}  // namespace synapsex::cli
