#include "controlplane/cli/secret_output.hpp"

#include <boost/json.hpp>

#include "controlplane/cli/private_file.hpp"

namespace synapsex::cli {

Result<Done> check_secret_file(std::string_view member, const std::string& file) {
    if (file.empty()) return Done{};
    auto checked = check_replaceable(file);
    if (checked) return Done{};
    auto problem = std::move(checked).error();
    problem.detail += sentence(" Without --{}-file the {} is printed.", {member, member});
    return problem;
}

Result<Done> show_secret(
    Context& context, std::string_view member, const std::string& secret, const std::string& file
) {
    if (file.empty()) {
        if (context.wants_json())
            context.print_last_answer();
        else
            context.say("{}", {secret});
        context.surroundings().out.flush();
        if (!context.surroundings().out) return output_unwritable();
        return Done{};
    }
    SYNAPSEX_CHECK(write_private_file(file, secret + "\n"));
    if (context.wants_json()) {
        auto document = boost::json::parse(context.last_answer()->body);
        document.as_object().erase(member);
        context.print_json(boost::json::serialize(document));
    } else {
        context.note("Written to {}.", {file});
    }
    return Done{};
}

}  // namespace synapsex::cli
