#pragma once

// How PostgreSQL's own programs are told where the database is.

#include <string>
#include <vector>

namespace synapsex::db {

// The URL as variables of the environment ("PGHOST=…", "PGPASSWORD=…"): a password on a command
// line stands in the list of processes. Throws DatabaseError, which does not repeat the URL.
std::vector<std::string> client_environment(const std::string& url);

}  // namespace synapsex::db
