#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/services/auth/api.hpp"
#include "shared/base/version.hpp"

namespace synapsex::cli {

namespace {

struct LoginOptions {
    std::string email;
    bool is_password_on_stdin = false;
};

struct LogoutOptions {
    bool is_everywhere = false;
};

std::string read_line(std::istream& in) {
    std::string line;
    std::getline(in, line);
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

Result<std::string> ask_email(Context& context, const LoginOptions& options) {
    if (!options.email.empty()) return options.email;
    auto& surroundings = context.surroundings();
    if (options.is_password_on_stdin || !surroundings.is_in_terminal)
        return usage_problem("Say who signs in with --email.");
    surroundings.err << "E-mail: " << std::flush;
    auto email = read_line(surroundings.in);
    if (email.empty()) return usage_problem("An e-mail address is needed.");
    return email;
}

Result<std::string> ask_password(Context& context, const LoginOptions& options) {
    auto& surroundings = context.surroundings();
    if (!options.is_password_on_stdin && !surroundings.is_in_terminal)
        return usage_problem("Standard input is no terminal: give the password with "
                             "--password-stdin.");
    if (!options.is_password_on_stdin) return surroundings.ask_secret("Password: ");
    auto password = read_line(surroundings.in);
    if (password.empty()) return usage_problem("Standard input held no password.");
    return password;
}

// The certificate authority is looked for again by every later command, from any folder.
std::string absolute_path(const std::string& path) {
    return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

void warn_of_environment(Context& context) {
    for (const auto* name : {"SYNAPSEX_ACCESS_TOKEN", "SYNAPSEX_API_KEY"})
        if (!context.surroundings().environment_value(name).empty())
            context.note("{} is set and goes before this sign-in.", {name});
}

Result<Done> show_me(Context& context, const auth::Me& me) {
    if (context.wants_json()) {
        context.print_last_answer();
        return Done{};
    }
    SYNAPSEX_TRY(const auto* session, context.session());
    auto facts = Table::of_facts();
    if (!me.email.empty()) facts.add({"User", me.email});
    if (!me.full_name.empty()) facts.add({"Name", me.full_name});
    facts.add({"Id", me.id.text()});
    facts.add({"Tenant", me.tenant_id.text()});
    facts.add({"Role", word_of(me.role)});
    facts.add({"Credential", me.credential_id + " (" + me.kind + ")"});
    facts.add({"Server", session->settings().url});
    context.print(facts);
    return Done{};
}

Result<Done> login(Context& context, const LoginOptions& options) {
    SYNAPSEX_TRY(const auto file, context.credentials_file());
    SYNAPSEX_TRY(const auto url, context.url());
    SYNAPSEX_TRY(const auto email, ask_email(context, options));
    SYNAPSEX_TRY(const auto password, ask_password(context, options));

    Credentials credentials{.url = url, .email = email};
    credentials.ca_file = absolute_path(context.options().ca_file);
    if (credentials.ca_file.empty()) {  // the same server as before
        const auto former = file.load();
        if (former && *former && (*former)->url == url) credentials.ca_file = (*former)->ca_file;
    }
    SYNAPSEX_TRY(auto* session, context.open_session({.url = url}, credentials.ca_file));
    SYNAPSEX_TRY(const auto tokens, session->call(auth::kLogin, auth::Login{{email}, {password}}));
    credentials.access_token = tokens.access_token;
    credentials.refresh_token = tokens.refresh_token;
    {
        SYNAPSEX_TRY(const auto lock, file.lock());
        SYNAPSEX_CHECK(file.save(credentials));
    }
    if (context.wants_json()) {  // who that is, never the tokens
        const SessionSettings settings{
            .url = url, .sign_in = SignIn::file, .bearer = tokens.access_token};
        SYNAPSEX_TRY(session, context.open_session(settings, credentials.ca_file));
        SYNAPSEX_TRY(const auto me, session->call(auth::kMe, api::None{}));
        SYNAPSEX_CHECK(show_me(context, me));
    } else {
        context.say("Signed in to {} as {}.", {url, email});
    }
    warn_of_environment(context);
    return Done{};
}

// With the kept sign-in, whatever the environment says.
Result<Done> tell_server_of_logout(
    Context& context, const Credentials& credentials, const LogoutOptions& options
) {
    const SessionSettings settings{
        .url = credentials.url, .sign_in = SignIn::file, .bearer = credentials.access_token};
    SYNAPSEX_TRY(auto* session, context.open_session(settings, credentials.ca_file));
    if (options.is_everywhere) {
        SYNAPSEX_CHECK(session->call(auth::kLogoutEverywhere, auth::LogoutEverywhere{}));
        return Done{};
    }
    SYNAPSEX_CHECK(session->call(auth::kLogout, api::None{}));
    return Done{};
}

Result<Done> logout(Context& context, const LogoutOptions& options) {
    SYNAPSEX_TRY(const auto file, context.credentials_file());
    const auto former = file.load();
    if (former && *former) {
        const auto told = tell_server_of_logout(context, **former, options);
        // What has ended already needs no end, unless all are to end.
        const bool is_over = !told && told.error().kind == Kind::unauthenticated;
        if (!told && options.is_everywhere) return told;
        if (!told && !is_over)
            context.note(
                "{} was not told ({}): who has a copy of the tokens stays signed in. Sign in again "
                "and end that session with {}.",
                {(*former)->url, told.error().detail, context.command("sessions revoke")}
            );
    } else if (options.is_everywhere) {
        return Problem{
            .kind = Kind::unauthenticated,
            .code = "cli.not_signed_in",
            .detail = "You are not signed in here, so nothing was ended elsewhere."};
    }
    SYNAPSEX_TRY(const bool was_signed_in, file.remove());
    if (context.wants_json())
        context.print_json({});
    else if (options.is_everywhere)
        context.say("Signed out everywhere: all your sessions have ended. API keys stay.");
    else if (was_signed_in)
        context.say("Signed out: the tokens in {} are gone.", {file.path().string()});
    else
        context.say("You were not signed in.");
    return Done{};
}

Result<Done> whoami(Context& context) {
    SYNAPSEX_TRY(const auto me, context.call(auth::kMe, api::None{}));
    return show_me(context, me);
}

Result<Done> version(Context& context) {
    if (context.wants_json())
        context.print_json(boost::json::serialize(boost::json::object{{"version", kVersion}}));
    else
        context.say("synapsexctl {}", {kVersion});
    return Done{};
}

}  // namespace

void add_sign_in_commands(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<LoginOptions>();
    auto* login_command = app.add_subcommand("login", "Sign in; the tokens stay on this machine");
    login_command->add_option("--email", options->email, "Who signs in (asked for on a terminal)");
    login_command->add_flag(
        "--password-stdin",
        options->is_password_on_stdin,
        "Read the password from the first line of standard input, for scripts"
    );
    add_footer(
        *login_command,
        "Examples:\n"
        "  synapsexctl login --url https://synapsex.example.com\n"
        "  synapsexctl login --email ada@example.com --password-stdin < password.txt"
    );
    login_command->callback([&chosen, options] {
        chosen = [options](Context& context) { return login(context, *options); };
    });
    const auto logout_options = std::make_shared<LogoutOptions>();
    auto* logout_command = app.add_subcommand("logout", "End this sign-in and forget its tokens");
    logout_command->add_flag(
        "--everywhere", logout_options->is_everywhere, "End all your sessions, on every machine"
    );
    add_footer(
        *logout_command,
        "Without --everywhere the tokens are forgotten even if the server does not answer.\n"
        "Where else you are signed in: synapsexctl sessions list"
    );
    logout_command->callback([&chosen, logout_options] {
        chosen = [logout_options](Context& context) { return logout(context, *logout_options); };
    });
    app.add_subcommand("whoami", "Show who the commands act as")->callback([&chosen] {
        chosen = whoami;
    });
    app.add_subcommand("version", "Show the version of this program")->callback([&chosen] {
        chosen = version;
    });
}

}  // namespace synapsex::cli
