#pragma once

// Forward-only migrations, per service, numbered and hashed. Files are
// services/<name>/migrations/NNNN_verb_noun.sql, embedded at build time (cmake/embed_sql.cmake).
//
// A migration only adds, in a way that the release before does not notice: that release runs on
// beside the new one, and may be started again after it. One that takes something away is a
// contract and is named so, NNNN_contract_what.sql; no release that does not know it starts again
// (docs/migrations.md).
//
// Column types that engines spell differently are placeholders: ${id} a text id, ${int} a 64-bit
// integer (STRICT tables of SQLite know no BIGINT), ${bool}, ${real}, ${bytes}; ${counter} is a
// primary key that the database counts up, for the order in which rows were inserted; ${strict} is
// the end of a CREATE TABLE. ${append_only table} is a statement: no row of that table is changed
// or removed from then on, whoever asks.
//
//   CREATE TABLE tenants (
//       tenant_id ${id} PRIMARY KEY,
//       is_open ${bool} NOT NULL,
//       created_at ${int} NOT NULL
//   ) ${strict};

#include <array>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "controlplane/platform/db/table.hpp"
#include "shared/base/time.hpp"

namespace synapsex::db {

class Database;

struct Migration {
    int number;
    std::string_view name;  // "0001_create_tenants"
    std::string_view sql;
};

// Whether the migration of this name takes away what older releases may need.
bool is_contract(std::string_view name);

struct ServiceMigrations {
    std::string_view service;  // "tenant-service"
    std::span<const Migration> migrations;
};

// Made by migrate() itself.
inline constexpr std::array kMigrationTables{
    Table{
        .name = "schema_migrations",
        .growth = Growth::bounded,
        .kept = "one for each migration",
    },
};

// The database cannot be brought to what this binary needs: a newer release took something away
// from it, or a migration that was applied has been edited or is gone. what() is one sentence for
// the operator.
class MigrationRefused : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

// Brings the database to what the binary needs, in the order given: first everything is verified,
// then each missing migration is applied in one transaction with its record in schema_migrations.
// Services that are not named are left alone; they may belong to another process. What a newer
// release added to the named ones stays, with a line in the log. Throws
// MigrationRefused, and DatabaseError naming the migration whose text fails; what was applied
// before it stays, and the next start goes on from there.
void migrate(Database& database, std::span<const ServiceMigrations> services, const Clock& clock);

}  // namespace synapsex::db
