#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/private_file.hpp"
#include "controlplane/cli/units.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"
#include "shared/crypto/operator_folder.hpp"
#include "shared/crypto/sealed_stream.hpp"

namespace synapsex::cli {

namespace {

namespace json = boost::json;

using crypto::OperatorFolder;
using crypto::OperatorKeyState;

struct TrustOptions {
    std::string operator_name;
    std::string passphrase_file;
};

Result<OperatorFolder> folder_of(const Context& context) {
    SYNAPSEX_TRY(const auto file, context.credentials_file());
    return OperatorFolder{file.trust_folder()};
}

// Empty: none was named.
Result<std::string> passphrase_of(const TrustOptions& options) {
    if (options.passphrase_file.empty()) return std::string{};
    return crypto::read_passphrase(options.passphrase_file);
}

// Who is not named is who is signed in to this machine.
Result<std::string> operator_name_of(Context& context, const TrustOptions& options) {
    auto name = options.operator_name;
    for (const auto* variable : {"USER", "LOGNAME"})
        if (name.empty()) name = context.surroundings().environment_value(variable);
    if (name.empty()) return usage_problem("Say whose root that is with --operator.");
    if (crypto::is_operator_name(name)) return name;
    return usage_problem(
        "An operator's name is one line of at most " + std::to_string(crypto::kOperatorNameMax) +
        " characters, without quotes and backslashes: give another with --operator."
    );
}

std::string_view word_of(OperatorKeyState state) {
    switch (state) {
        case OperatorKeyState::missing: return "missing";
        case OperatorKeyState::plain: return "plain";
        case OperatorKeyState::sealed: return "sealed";
    }
    return "missing";
}

std::string sentence_of(OperatorKeyState state, const OperatorFolder& folder) {
    const auto path = folder.key_path().string();
    switch (state) {
        case OperatorKeyState::missing: return "not on this machine";
        case OperatorKeyState::plain: return path + " (without a passphrase)";
        case OperatorKeyState::sealed: return path + " (under a passphrase)";
    }
    return {};
}

std::string document_of(
    const crypto::TrustRoot& root, const OperatorFolder& folder, OperatorKeyState state
) {
    json::array keys;
    for (const auto& key : root.keys)
        keys.push_back(json::object{
            {"id", crypto::ed25519_key_id(key.public_key)},
            {"name", key.name},
            {"publicKey", crypto::to_base64url(key.public_key)}});
    return json::serialize(json::object{
        {"fingerprint", root.fingerprint()},
        {"version", 1},
        {"createdAt", format_rfc3339(root.created_at)},
        {"threshold", root.threshold},
        {"keys", std::move(keys)},
        {"folder", folder.path().string()},
        {"operatorKey", word_of(state)}});
}

void print_root(
    Context& context, const crypto::TrustRoot& root, const OperatorFolder& folder,
    OperatorKeyState state
) {
    if (context.wants_json()) return context.print_json(document_of(root, folder, state));
    auto facts = Table::of_facts();
    facts.add({"Fingerprint", root.fingerprint()});
    facts.add({"Created", format_instant(root.created_at)});
    facts.add({"Signatures", std::to_string(root.threshold) + " of " +
                                 std::to_string(root.keys.size())});
    for (const auto& key : root.keys)
        facts.add({"Operator", key.name + "  " + crypto::ed25519_key_id(key.public_key)});
    facts.add({"Root", folder.root_path().string()});
    facts.add({"Key", sentence_of(state, folder)});
    context.print(facts);
}

Result<Done> init(Context& context, const TrustOptions& options) {
    SYNAPSEX_TRY(const auto folder, folder_of(context));
    SYNAPSEX_TRY(const auto name, operator_name_of(context, options));
    SYNAPSEX_TRY(const auto passphrase, passphrase_of(options));
    SYNAPSEX_TRY(const auto before, folder.key_state());
    SYNAPSEX_CHECK(make_folders_of(folder.root_path()));
    auto& surroundings = context.surroundings();
    SYNAPSEX_TRY(
        const auto root,
        folder.make_root({name, passphrase}, surroundings.random, context.now())
    );
    const auto state =
        passphrase.empty() ? OperatorKeyState::plain : OperatorKeyState::sealed;
    print_root(context, root, folder, state);
    if (before != OperatorKeyState::missing)
        context.note(
            "The key was there already. If VMs have pinned a root of it, restore that root.json "
            "in place of this one."
        );
    context.note(
        "Tokens that you make pin it on VMs from now on. Keep a copy of {} where no server is: "
        "nobody can make the key again.",
        {folder.path().string()}
    );
    return Done{};
}

// A key that would be missed only on the day when it has to sign.
Result<Done> check_key(
    const OperatorFolder& folder, const crypto::TrustRoot& root, const std::string& passphrase
) {
    SYNAPSEX_TRY(const auto key, folder.load_key(passphrase));
    const auto is_it = [own = key->public_key()](const auto& each) {
        return each.public_key == own;
    };
    if (std::ranges::any_of(root.keys, is_it)) return Done{};
    return Problem{
        .kind = Kind::internal,
        .code = "cli.trust_key_foreign",
        .detail = folder.key_path().string() + " is none of the keys of " +
                  folder.root_path().string() + ". Restore both from the same copy."};
}

Result<Done> show(Context& context, const TrustOptions& options) {
    SYNAPSEX_TRY(const auto folder, folder_of(context));
    SYNAPSEX_TRY(const auto root, folder.find_root());
    if (!root)
        return Problem{
            .kind = Kind::not_found,
            .code = "cli.trust_root_missing",
            .detail = "There is no trust root in " + folder.path().string() + ". Make one with " +
                      context.command("trust init") + "."};
    SYNAPSEX_TRY(const auto passphrase, passphrase_of(options));
    SYNAPSEX_TRY(const auto state, folder.key_state());
    const bool can_be_tried = state == OperatorKeyState::plain || !passphrase.empty();
    if (can_be_tried) SYNAPSEX_CHECK(check_key(folder, *root, passphrase));
    print_root(context, *root, folder, state);
    return Done{};
}

void add_passphrase_option(CLI::App& command, TrustOptions& options, const std::string& text) {
    command.add_option("--passphrase-file", options.passphrase_file, text)->type_name("FILE");
}

}  // namespace

void add_trust_commands(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<TrustOptions>();
    auto* group = app.add_subcommand(
        "trust", "The trust root: whose signatures count on VMs, whatever a server says"
    );
    group->require_subcommand(1);

    auto* init_command = group->add_subcommand(
        "init", "Make a key and a trust root on this machine; no server is asked"
    );
    init_command->add_option(
        "--operator", options->operator_name, "Whose key that is [your name on this machine]"
    )->type_name("NAME");
    add_passphrase_option(
        *init_command, *options,
        "Seal the key under the passphrase in this file (mode 0600, 16 characters or more)"
    );
    add_footer(
        *init_command,
        "It goes with the sign-in (--profile, --credentials) and is never written over. Tokens\n"
        "that `synapsexctl tokens create` makes from then on tell VMs to pin it.\n\n"
        "Example: synapsexctl trust init --operator ada --passphrase-file passphrase"
    );
    init_command->callback([&chosen, options] {
        chosen = [options](Context& context) { return init(context, *options); };
    });

    auto* show_command =
        group->add_subcommand("show", "Check the trust root of this machine and show it");
    add_passphrase_option(
        *show_command, *options, "Try the key under the passphrase in this file, too"
    );
    show_command->callback([&chosen, options] {
        chosen = [options](Context& context) { return show(context, *options); };
    });
}

}  // namespace synapsex::cli
