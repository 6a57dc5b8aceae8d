#pragma once

// What people write on a command line, made into what operations take.

#include <CLI/CLI.hpp>
#include <string>

#include "controlplane/cli/context.hpp"
#include "controlplane/cli/enum_words.hpp"
#include "controlplane/cli/listing.hpp"

namespace synapsex::cli {

// An id of the kind, or cli.usage.
template <class IdType>
Result<IdType> id_argument(const std::string& text, std::string_view what) {
    if (auto id = IdType::parse(text)) return *std::move(id);
    return usage_problem("\"" + text + "\" is no id of " + std::string{what} + ".");
}

inline void add_limit_option(CLI::App& command, std::int64_t& limit) {
    command.add_option("--limit", limit, "Show at most this many")
        ->type_name("N")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}).description(""))
        ->capture_default_str();
}

}  // namespace synapsex::cli
