#pragma once

// One SQL text serves both engines. PostgreSQL cannot infer the type of many a parameter, so each
// $n gets the type of the C++ value that is bound to it: "$1" becomes "$1::text".

#include <span>
#include <string>
#include <string_view>

#include "controlplane/platform/db/query.hpp"

namespace synapsex::db {

// Leaves alone what stands in quotes and comments. Throws DatabaseError if the text names a
// parameter without a value, or there is a value that it does not name.
std::string with_types(std::string_view sql, std::span<const Value> values);

}  // namespace synapsex::db
