#pragma once

// DATABASE_URL and its siblings.

#include <string_view>

#include "controlplane/platform/db/sqlite/sqlite.hpp"
#include "shared/base/result.hpp"

namespace synapsex::db {

// "sqlite:///absolute/path"; the path is taken as it is written, without percent-decoding. The
// refusals, "database_url.invalid" and "database_url.unsupported", never repeat the URL: one for
// PostgreSQL bears a password.
Result<SqliteOptions> parse_database_url(std::string_view url);

}  // namespace synapsex::db
