#pragma once

// How an engine spells the placeholders of a migration (migrate.hpp). A placeholder may have a word
// of its own, ${append_only audit_entries}, which stands in the spelling wherever that has a "@".

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace synapsex::db {

// {"id", "TEXT"}: ${id} is spelled TEXT.
using Spelling = std::pair<std::string_view, std::string_view>;
using Dialect = std::span<const Spelling>;

// Throws std::invalid_argument naming a placeholder that the dialect does not know.
std::string spell(std::string_view text, Dialect dialect);

}  // namespace synapsex::db
