#include <CLI/CLI.hpp>
#include <memory>

#include "controlplane/cli/arguments.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/listing.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/services/auth/api.hpp"

namespace synapsex::cli {

namespace {

struct SessionOptions {
    std::int64_t limit = kListLimit;
    std::vector<std::string> ids;
    bool is_password_on_stdin = false;
};

Result<Done> list_sessions(Context& context, const SessionOptions& options) {
    SYNAPSEX_TRY(
        const auto listing,
        list_up_to(context, auth::kListSessions, auth::ListSessions{}, options.limit)
    );
    print_listing(
        context,
        listing,
        Table{
            {{"ID"},
             {"SIGNED IN", Align::left, {.leaves = 2}},
             {"LAST REFRESH"},
             {"FROM", Align::left, {.leaves = 3}},
             {"CLIENT", Align::left, {.width_min = 16, .leaves = 1}}}},
        "You have no sessions.",
        [&](const auth::SignedInSession& each) {
            const auto mark = each.is_current ? std::string{" (this one)"} : std::string{};
            return std::vector<Cell>{
                {each.id.text() + mark},
                {format_relative(each.signed_in_at, context.now())},
                {format_relative(each.last_refreshed_at, context.now())},
                {each.last_address},
                {each.user_agent}};
        }
    );
    return Done{};
}

Result<Done> revoke_sessions(Context& context, const SessionOptions& options) {
    for (const auto& text : options.ids) {
        SYNAPSEX_TRY(const auto id, id_argument<SessionId>(text, "a session (ses_…)"));
        SYNAPSEX_CHECK(context.call(auth::kEndSession, {id}));
        if (!context.wants_json()) context.say("Ended {}.", {text});
    }
    if (context.wants_json()) context.print_json({});
    return Done{};
}

Result<std::string> ask(Context& context, const SessionOptions& options, std::string_view what) {
    auto& surroundings = context.surroundings();
    if (!options.is_password_on_stdin && surroundings.is_in_terminal)
        return surroundings.ask_secret(what);
    if (!options.is_password_on_stdin)
        return usage_problem("Standard input is no terminal: give both passwords with "
                             "--passwords-stdin.");
    std::string line;
    std::getline(surroundings.in, line);
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty())
        return usage_problem("Standard input has to hold the current password on its first line "
                             "and the new one on its second.");
    return line;
}

Result<Done> change_password(Context& context, const SessionOptions& options) {
    auth::ChangePassword wish;
    SYNAPSEX_TRY(wish.current_password.value, ask(context, options, "Current password: "));
    SYNAPSEX_TRY(wish.new_password.value, ask(context, options, "New password: "));
    if (!options.is_password_on_stdin) {
        SYNAPSEX_TRY(const auto again, ask(context, options, "New password, again: "));
        if (again != wish.new_password.value)
            return usage_problem("The two new passwords differ. Nothing was changed.");
    }
    SYNAPSEX_CHECK(context.call(auth::kChangePassword, wish));
    if (context.wants_json())
        context.print_json({});
    else
        context.say("The password was changed. All your other sessions have ended; API keys stay.");
    return Done{};
}

}  // namespace

void add_session_commands(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<SessionOptions>();
    auto* group = app.add_subcommand("sessions", "Where you are signed in");
    group->require_subcommand(1);

    auto* list = group->add_subcommand("list", "List your sessions, the newest first");
    add_limit_option(*list, options->limit);
    list->callback([&chosen, options] {
        chosen = [options](Context& context) { return list_sessions(context, *options); };
    });

    auto* revoke = group->add_subcommand("revoke", "End sessions, at once");
    revoke->add_option("ID", options->ids, "Ids of sessions (ses_…)")->required();
    add_footer(
        *revoke,
        "Example: synapsexctl sessions revoke ses_01jgjz2m1xq3v5n8b7w6t4r2e0\n"
        "All of them: synapsexctl logout --everywhere"
    );
    revoke->callback([&chosen, options] {
        chosen = [options](Context& context) { return revoke_sessions(context, *options); };
    });

    auto* password =
        app.add_subcommand("password", "Change your password; your other sessions end");
    password->add_flag(
        "--passwords-stdin",
        options->is_password_on_stdin,
        "Read the current and the new password from two lines of standard input, for scripts"
    );
    password->callback([&chosen, options] {
        chosen = [options](Context& context) { return change_password(context, *options); };
    });
}

}  // namespace synapsex::cli
