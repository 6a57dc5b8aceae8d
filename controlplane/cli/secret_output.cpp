#include "controlplane/cli/secret_output.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "controlplane/cli/private_file.hpp"

namespace synapsex::cli {

void SecretFile::add_options_to(CLI::App& command) {
    auto* file = command.add_option(
        "--" + member + "-file",
        path,
        "Write the " + member + " to this file (mode 0600) and do not show it"
    );
    file->type_name("FILE");
    command.add_flag("--force", may_replace, "Replace the file if it is there")->needs(file);
}

Result<Done> SecretFile::check() const {
    if (path.empty()) return Done{};
    auto checked = check_replaceable(path);
    if (checked && !may_replace) checked = check_missing(path);
    if (checked) checked = check_folder_of(path);
    if (checked) return Done{};
    auto problem = std::move(checked).error();
    if (problem.code == "cli.file_exists")
        problem.detail += " Name another file, or replace it with --force.";
    problem.detail += sentence(" Without --{}-file the {} is printed.", {member, member});
    return problem;
}

namespace {

// The last answer's document with this secret in it; as it came, where it bears that one.
std::string answer_with(const Context& context, const std::string& secret, const SecretFile& file) {
    const auto& body = context.last_answer()->body;
    auto document = boost::json::parse(body);
    auto& member = document.as_object()[file.member];
    if (member == boost::json::value{secret}) return body;
    member = secret;
    return boost::json::serialize(document);
}

}  // namespace

Result<Done> show_secret(Context& context, const std::string& secret, const SecretFile& file) {
    if (file.path.empty()) {
        if (context.wants_json())
            context.print_json(answer_with(context, secret, file));
        else
            context.say("{}", {secret});
        context.surroundings().out.flush();
        if (!context.surroundings().out) return output_unwritable();
        return Done{};
    }
    SYNAPSEX_CHECK(write_private_file(file.path, secret + "\n"));
    if (context.wants_json()) {
        auto document = boost::json::parse(context.last_answer()->body);
        document.as_object().erase(file.member);
        context.print_json(boost::json::serialize(document));
    } else {
        context.note("Written to {}.", {file.path});
    }
    return Done{};
}

}  // namespace synapsex::cli
