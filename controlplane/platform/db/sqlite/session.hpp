#pragma once

// A connection as stores see it: statements prepared once, typed rows, and the name of the query
// that took longest.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "controlplane/platform/db/database.hpp"
#include "shared/base/time.hpp"
#include "shared/sqlite/connection.hpp"

namespace synapsex::db {

class SqliteSession final : public Session {
 public:
    SqliteSession(sqlite::Connection& connection, const Clock& clock)
        : connection_(connection), clock_(clock) {}

    Timestamp now() override { return clock_.now(); }

    // Prepares the query now; throws DatabaseError naming it.
    void prepare(const Query& query) { statement_of(query); }

    // The slowest query since the last call of this.
    std::string_view take_slowest();
    // Whether a query has failed since the last call of this.
    bool take_failure() { return std::exchange(has_failed_, false); }

 private:
    // By the address of the text. The text itself is compared too, for a Query that lived on a
    // stack.
    struct Cached {
        std::string sql;
        sqlite::Statement statement;
        std::vector<std::string> columns;
    };

    class Timing;

    Rows run(const Query& query, std::span<const Value> values) override;
    Rows run_statement(const Query& query, std::span<const Value> values);
    Cached& statement_of(const Query& query);

    sqlite::Connection& connection_;
    const Clock& clock_;
    std::unordered_map<const char*, Cached> statements_;
    bool has_failed_ = false;
    std::string_view slowest_name_;
    std::chrono::nanoseconds slowest_time_{-1};
};

}  // namespace synapsex::db
