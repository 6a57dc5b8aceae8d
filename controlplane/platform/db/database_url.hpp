#pragma once

// DATABASE_URL and its siblings.

#include <string_view>
#include <variant>

#include "controlplane/platform/db/postgres/postgres.hpp"
#include "controlplane/platform/db/sqlite/sqlite.hpp"
#include "shared/base/result.hpp"

namespace synapsex::db {

using DatabaseOptions = std::variant<SqliteOptions, PostgresOptions>;

// "sqlite:///absolute/path"; the path is taken as it is written, without percent-decoding. Or
// "postgresql://user:password@host:port/database?…", as libpq reads it. The refusal,
// "database_url.invalid", never repeats the URL: one for PostgreSQL bears a password.
Result<DatabaseOptions> parse_database_url(std::string_view url);

}  // namespace synapsex::db
