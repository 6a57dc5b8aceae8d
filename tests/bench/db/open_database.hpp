#pragma once

// The database of a bench, on an engine of choice.

#include <memory>
#include <string>

#include "controlplane/platform/db/database_url.hpp"

namespace synapsex::db {

inline std::unique_ptr<Database> open_database(
    const std::string& url, const Clock& clock, Random& random, Metrics& metrics
) {
    const auto options = parse_database_url(url).value();
    if (const auto* sqlite = std::get_if<SqliteOptions>(&options))
        return open_sqlite(*sqlite, clock, metrics);
    return open_postgres(std::get<PostgresOptions>(options), clock, random, metrics);
}

}  // namespace synapsex::db
