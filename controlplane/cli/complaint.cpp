#include "controlplane/cli/complaint.hpp"

#include <boost/json.hpp>

#include "controlplane/cli/answer.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/platform/api/problem_document.hpp"

namespace synapsex::cli {

namespace {

namespace json = boost::json;

const SessionSettings* settings_of(Context& context) {
    const auto session = context.session();
    return session ? &(*session)->settings() : nullptr;
}

// Signs in where this command looked.
std::string login_command(Context& context) {
    const auto& options = context.options();
    const auto url = context.url();
    auto command = context.command("login");
    if (url) command += " --url " + *url;
    if (!options.profile.empty()) command += " --profile " + options.profile;
    if (!options.credentials_file.empty()) command += " --credentials " + options.credentials_file;
    return command;
}

std::string advice_on_sign_in(Context& context) {
    const auto* settings = settings_of(context);
    if (settings != nullptr && settings->sign_in == SignIn::access_token)
        return "SYNAPSEX_ACCESS_TOKEN was refused: set a current one, or unset it and run " +
               login_command(context);
    if (settings != nullptr && settings->sign_in == SignIn::api_key)
        return "SYNAPSEX_API_KEY was refused: set a valid one, or unset it and run " +
               login_command(context);
    return "sign in with " + login_command(context);
}

std::string advice_on_network(const Problem& problem, Context& context) {
    const auto url = context.url();
    const auto at = url ? " at " + *url : std::string{};
    if (problem.code == net::kTlsExpired || problem.code == net::kTlsNotYetValid)
        return "check this machine's clock, then the server's certificate";
    if (problem.code == net::kTlsName)
        return "use the host name that the server's certificate is for, or give the server one for "
               "this name (public-url, tls-names)";
    if (problem.code == net::kTlsFailed || problem.code == net::kTlsAuthority)
        return "check that the address is right and speaks https, and name the server's own "
               "certificate authority with --ca-file";
    if (problem.code == net::kInsecureUrl || problem.code == net::kInvalidUrl)
        return "give an address like https://synapsex.example.com with --url or SYNAPSEX_URL";
    return "check that the control plane runs" + at + ", or name another with --url";
}

bool is_from_network(const Problem& problem) { return problem.code.starts_with("net."); }

// "/name: must not be empty", one a line; the detail says as much where there is only one.
void list_errors(std::ostream& err, const Problem& problem) {
    if (problem.errors.size() == 1 &&
        problem.detail.find(problem.errors.front().detail) != std::string::npos)
        return;
    for (const auto& error : problem.errors)
        err << sentence("  {}: {}\n", {error.pointer, error.detail});
}

std::string made_document(const Problem& problem) {
    json::object document{
        {"title", api::http_title(problem.kind)},
        {"code", problem.code},
        {"detail", problem.detail}};
    return json::serialize(document);
}

// The answer that the problem was made from, if one was.
const net::HttpResponse* answer_behind(const Problem& problem, Context& context) {
    const auto* answer = context.last_answer();
    const bool is_local = problem.code.starts_with("cli.") || is_from_network(problem);
    return answer != nullptr && answer->status >= 400 && !is_local ? answer : nullptr;
}

bool is_problem_document(const net::HttpResponse& answer) {
    const auto* type = answer.find_header("Content-Type");
    return type != nullptr && type->starts_with("application/problem+json");
}

}  // namespace

std::string advice_for(const Problem& problem, Context& context) {
    if (is_from_network(problem)) return advice_on_network(problem, context);
    if (problem.code == "auth.login_failed" || problem.code.starts_with("cli.file")) return {};
    if (problem.kind == Kind::unauthenticated)
        return advice_on_sign_in(context);
    if (problem.retry_after)
        return "try again in " + format_duration(*problem.retry_after);
    if (problem.code == "tenants.not_found")
        return "choose one of your tenants: " + context.command("tenants list");
    if (problem.code == "auth.scope_missing" && context.last_answer() != nullptr)
        return "see who you were taken for: " +
               context.command("explain " + request_id_of(*context.last_answer()));
    return {};
}

void complain(Context& context, const Problem& problem) {
    complain(context, problem, advice_for(problem, context));
}

void complain(Context& context, const Problem& problem, std::string_view advice) {
    auto& surroundings = context.surroundings();
    surroundings.out.flush();
    auto& err = surroundings.err;
    const auto* answer = answer_behind(problem, context);
    if (context.wants_json()) {
        const bool has_document = answer != nullptr && is_problem_document(*answer);
        const auto document = has_document ? answer->body : made_document(problem);
        err << (surroundings.is_err_terminal ? escape_json(document) : document) << '\n';
        return;
    }
    err << sentence("synapsexctl: {}\n", {problem.detail});
    list_errors(err, problem);
    if (!advice.empty()) err << sentence("  -> {}\n", {advice});
    const auto request_id = answer == nullptr ? std::string{} : request_id_of(*answer);
    if (request_id.empty())
        err << sentence("  code {}\n", {problem.code});
    else
        err << sentence("  code {}, request {}\n", {problem.code, request_id});
}

}  // namespace synapsex::cli
