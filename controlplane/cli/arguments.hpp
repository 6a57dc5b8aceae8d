#pragma once

// What people write on a command line, made into what operations take.

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <string>

#include "controlplane/cli/context.hpp"
#include "controlplane/cli/enum_words.hpp"
#include "controlplane/cli/listing.hpp"

namespace synapsex::cli {

struct NumberRange {
    std::int64_t min = 1;
    std::int64_t max = 1'000'000;
};

// An id of the kind, or cli.usage.
template <class IdType>
Result<IdType> id_argument(const std::string& text, std::string_view what) {
    if (auto id = IdType::parse(text)) return *std::move(id);
    return usage_problem("\"" + text + "\" is no id of " + std::string{what} + ".");
}

// A whole number of an operation's own limits, so that nothing is sent that it would refuse.
inline CLI::Option* add_number_option(
    CLI::App& command,
    const std::string& name,
    std::int64_t& number,
    const std::string& text,
    NumberRange range = {}
) {
    const auto is_in_range = [range](std::string& written) -> std::string {
        std::int64_t value = 0;
        const auto* end = written.data() + written.size();
        const auto read = std::from_chars(written.data(), end, value);
        if (read.ec == std::errc{} && read.ptr == end && range.min <= value && value <= range.max)
            return {};
        return "\"" + written + "\" is no whole number from " + std::to_string(range.min) + " to " +
               std::to_string(range.max) + ".";
    };
    return command.add_option(name, number, text)
        ->type_name("N")
        ->check(CLI::Validator{is_in_range, ""});
}

inline void add_limit_option(CLI::App& command, std::int64_t& limit) {
    add_number_option(command, "--limit", limit, "Show at most this many")->capture_default_str();
}

// Stands below every command's help.
inline constexpr const char* kHelpOfAll =
    "Options of every command (--json, --url, --tenant, …): synapsexctl --help";

inline void add_footer(CLI::App& command, const std::string& text) {
    command.footer(text + "\n\n" + kHelpOfAll);
}

}  // namespace synapsex::cli
