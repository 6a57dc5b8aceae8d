#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/installation.hpp"
#include "controlplane/cli/secret_output.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/services/agent_registry/api.hpp"
#include "shared/crypto/enrollment_token.hpp"
#include "shared/crypto/operator_folder.hpp"

namespace synapsex::cli {

namespace {

using agent_registry::EnrollmentToken;

struct TokenOptions {
    std::string name;
    std::int64_t uses = 1;
    std::string ttl = "1h";
    SecretFile file{"token"};
    bool without_trust_root = false;
    std::string print;  // a DocumentKind as people write it; empty: the token alone
    std::vector<std::string> install_arguments;
    std::int64_t limit = kListLimit;
    std::vector<std::string> ids;
};

Cell validity_of(const EnrollmentToken& token, Timestamp now) {
    if (token.revoked_at) return {"revoked", Style::bad};
    if (token.expires_at <= now) return {"expired", Style::dim};
    if (token.uses >= token.uses_max) return {"used up", Style::dim};
    return {"valid", Style::good};
}

Result<agent_registry::CreateEnrollmentToken> wish_of(const TokenOptions& options) {
    SYNAPSEX_TRY(const auto ttl, parse_duration(options.ttl));
    using Ttl = decltype(agent_registry::CreateEnrollmentToken{}.ttl_seconds.value);
    if (ttl.count() < Ttl::kMin || ttl.count() > Ttl::kMax)
        return usage_problem(
            "A token is valid from " + format_duration(std::chrono::seconds{Ttl::kMin}) + " to " +
            format_duration(std::chrono::seconds{Ttl::kMax}) + ": --ttl " + options.ttl +
            " is out of that."
        );
    agent_registry::CreateEnrollmentToken wish;
    if (!options.name.empty()) wish.name.emplace().value = options.name;
    wish.uses.value.value = options.uses;
    wish.ttl_seconds.value.value = ttl.count();
    return wish;
}

// The fingerprint that VMs are to pin; empty where this operator has no root, or wants none pinned.
Result<std::string> trust_root_for(const Context& context, const TokenOptions& options) {
    const auto file = context.credentials_file();
    if (options.without_trust_root || !file) return std::string{};
    auto root = crypto::OperatorFolder{file->trust_folder()}.find_root();
    if (root) return *root ? (*root)->fingerprint() : std::string{};
    auto problem = std::move(root).error();
    if (!problem.detail.ends_with('.')) problem.detail += '.';
    problem.detail += " Without it: --no-trust-root.";
    return problem;
}

// A server has no say in it: one that has put a root of its own there is not passed on.
Result<Done> set_trust_root(std::string& token, const std::string& trust_root) {
    auto parts = crypto::parse_enrollment_token(token);
    if (!parts && trust_root.empty()) return Done{};
    if (!parts)
        return Problem{
            .kind = Kind::internal,
            .code = "cli.token_unknown",
            .detail = "The server makes tokens of a form that this program does not know, so the "
                      "trust root cannot go into one. Take a later synapsexctl, or leave it out "
                      "with --no-trust-root."};
    parts->trust_root = trust_root;
    token = parts->text();
    return Done{};
}

// What has to be known before there is a token; nothing where none is to be printed.
Result<std::optional<Installation>> prepare_installation(
    Context& context, const TokenOptions& options
) {
    if (options.print.empty()) {
        if (options.install_arguments.empty()) return std::nullopt;
        return usage_problem("Arguments of install-agent.sh go with --print.");
    }
    if (context.wants_json()) return usage_problem("--print prints no JSON; leave out --json.");
    if (!options.file.path.empty())
        return usage_problem("With --print the token is in what is printed: no --token-file.");
    SYNAPSEX_TRY(Session* const session, context.session());
    Installation installation{
        .url = session->settings().url, .token = {}, .arguments = options.install_arguments};
    if (context.ca_file().empty()) return installation;
    std::ifstream file{context.ca_file(), std::ios::binary};
    installation.authorities.assign(std::istreambuf_iterator<char>{file}, {});
    const bool is_text = std::ranges::all_of(installation.authorities, [](char c) {
        return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t';
    });
    constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
    if (!is_text || installation.authorities.find(kBegin) == std::string::npos)
        return usage_problem(context.ca_file() + " is no PEM file with certificates.");
    return installation;
}

// A token that names the authority needs no file of it.
Result<Done> print_installation(
    Context& context, Installation installation, const std::string& token, DocumentKind kind
) {
    // It will be in a shell's hands, as root: a server that sends more than a token is not helped.
    const bool is_token = std::ranges::all_of(token, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
    if (!is_token)
        return Problem{
            .kind = Kind::internal,
            .code = "client.bad_answer",
            .detail = "The server's token has characters in it that no token has."};
    installation.token = token;
    const auto parts = crypto::parse_enrollment_token(token);
    if (parts && !parts->authority_pin.empty()) installation.authorities.clear();
    auto& out = context.surroundings().out;
    out << (kind == DocumentKind::script ? installation_script(installation)
                                         : installation_cloud_config(installation))
        << std::flush;
    if (!out) return output_unwritable();
    if (installation.url.starts_with("http://"))
        context.note(
            "{} leads to this machine only. For others name the address that agents have: "
            "{} --print … -- --url https://HOST:PORT",
            {installation.url, context.command("tokens create")}
        );
    return Done{};
}

Result<Done> hand_over(
    Context& context,
    const std::string& token,
    const std::optional<Installation>& installation,
    const TokenOptions& options
) {
    if (!installation) return show_secret(context, token, options.file);
    const auto kind = options.print == "script" ? DocumentKind::script : DocumentKind::cloud_init;
    return print_installation(context, *installation, token, kind);
}

Result<Done> create_token(Context& context, const TokenOptions& options) {
    SYNAPSEX_TRY(const auto wish, wish_of(options));
    SYNAPSEX_CHECK(options.file.check());
    SYNAPSEX_TRY(const auto installation, prepare_installation(context, options));
    SYNAPSEX_TRY(const auto trust_root, trust_root_for(context, options));
    SYNAPSEX_TRY(auto token, context.call(agent_registry::kCreateToken, wish));
    auto shown = set_trust_root(token.token, trust_root);
    if (shown) shown = hand_over(context, token.token, installation, options);
    if (!shown) {
        // Nobody has seen it and nobody will.
        static_cast<void>(context.call(agent_registry::kRevokeToken, {token.id}));
        return shown;
    }
    if (context.wants_json()) return Done{};
    context.note(
        "Enrollment token {} for {} {}, valid until {}. It is not shown again.",
        {token.id.text(),
         std::to_string(token.uses_max),
         token.uses_max == 1 ? "VM" : "VMs",
         format_instant(token.expires_at)}
    );
    if (!trust_root.empty()) context.note("VMs pin your trust root with it, {}.", {trust_root});
    return Done{};
}

Result<Done> list_tokens(Context& context, const TokenOptions& options) {
    SYNAPSEX_TRY(
        const auto listing,
        list_up_to(
            context,
            agent_registry::kListTokens,
            agent_registry::ListEnrollmentTokens{},
            options.limit
        )
    );
    print_listing(
        context,
        listing,
        Table{
            {{"NAME", Align::left, {.width_min = 12}},
             {"STATE", Align::left, {.leaves = 4}},
             {"USES", Align::right, {.leaves = 3}},
             {"CREATED", Align::left, {.leaves = 1}},
             {"EXPIRES", Align::left, {.leaves = 2}},
             {"ID"}}},
        "There are no enrollment tokens. Make one with " + context.command("tokens create") + ".",
        [&](const EnrollmentToken& token) {
            return std::vector<Cell>{
                {token.name},
                validity_of(token, context.now()),
                {std::to_string(token.uses) + "/" + std::to_string(token.uses_max)},
                {format_relative(token.created_at, context.now())},
                {format_relative(token.expires_at, context.now())},
                {token.id.text(), Style::dim}};
        }
    );
    return Done{};
}

Result<Done> revoke_tokens(Context& context, const TokenOptions& options) {
    for (const auto& text : options.ids) {
        SYNAPSEX_TRY(
            const auto id, id_argument<EnrollmentTokenId>(text, "an enrollment token (ent_…)")
        );
        SYNAPSEX_CHECK(context.call(agent_registry::kRevokeToken, {id}));
        if (!context.wants_json()) context.say("Revoked {}.", {text});
    }
    if (context.wants_json()) context.print_json({});
    return Done{};
}

void add_create_command(
    CLI::App& group, Action& chosen, const std::shared_ptr<TokenOptions>& options
) {
    auto* create = group.add_subcommand("create", "Make a token that lets VMs enroll");
    create->add_option("--name", options->name, "What it is for");
    using Uses = decltype(agent_registry::CreateEnrollmentToken{}.uses.value);
    const NumberRange uses{.min = Uses::kMin, .max = Uses::kMax};
    add_number_option(*create, "--uses", options->uses, "How many VMs may enroll with it", uses)
        ->capture_default_str();
    create->add_option("--ttl", options->ttl, "How long it is valid: 30m, 1h, 7d")
        ->type_name("DURATION")
        ->capture_default_str();
    options->file.add_options_to(*create);
    create->add_flag(
        "--no-trust-root",
        options->without_trust_root,
        "Have VMs pin no trust root, though there is one here"
    );
    create
        ->add_option(
            "--print",
            options->print,
            "Print what installs the agent with this token, instead of the token: a shell "
            "script, or user data for cloud-init"
        )
        ->check(CLI::IsMember({"script", "cloud-init"}))
        ->type_name("script|cloud-init");
    create
        ->add_option(
            "ARGUMENT",
            options->install_arguments,
            "With --print, after --: more options for install-agent.sh"
        )
        ->type_name("");
    add_footer(
        *create,
        "The token, or what --print names, is all that goes to standard output:\n"
        "  synapsexctl tokens create --uses 10 --ttl 2h --token-file token\n"
        "  token=$(synapsexctl tokens create)\n"
        "  synapsexctl tokens create --print script | ssh root@web-1 sh -s\n"
        "  synapsexctl tokens create --print cloud-init -- --deb-url URL --deb-sha256 HEX"
    );
    create->callback([&chosen, options] {
        chosen = [options](Context& context) { return create_token(context, *options); };
    });
}

}  // namespace

void add_token_commands(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<TokenOptions>();
    auto* group = app.add_subcommand("tokens", "Enrollment tokens, which let VMs enroll");
    group->require_subcommand(1);
    add_create_command(*group, chosen, options);
    auto* list = group->add_subcommand("list", "List enrollment tokens");
    add_limit_option(*list, options->limit);
    list->callback([&chosen, options] {
        chosen = [options](Context& context) { return list_tokens(context, *options); };
    });
    auto* revoke = group->add_subcommand("revoke", "Revoke tokens; VMs that enrolled stay");
    revoke->add_option("ID", options->ids, "Ids of tokens (ent_…)")->required();
    add_footer(*revoke, "Example: synapsexctl tokens revoke ent_01jgjz2m1xq3v5n8b7w6t4r2e0");
    revoke->callback([&chosen, options] {
        chosen = [options](Context& context) { return revoke_tokens(context, *options); };
    });
}

}  // namespace synapsex::cli
