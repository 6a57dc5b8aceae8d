#pragma once

// A PostgreSQL transaction as stores see it.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/platform/db/database.hpp"
#include "shared/base/time.hpp"

namespace pqxx {
class transaction_base;
}

namespace synapsex::db {

// Why a transaction can not go on.
enum class PostgresFailure {
    conflict,  // with what ran beside it: the same again may succeed
    taken,     // a unique value: in a closure, which looks first, by one that ran beside it
    late,      // past the statement timeout
    lost,      // no connection any more
    other,
};

class PostgresError : public DatabaseError {
 public:
    PostgresError(PostgresFailure why, const std::string& what)
        : DatabaseError(what), failure(why) {}
    const PostgresFailure failure;
};

// What libpqxx throws, as a PostgresError; anything else is rethrown as it is. In a catch block.
[[noreturn]] void rethrow_as_postgres_error(std::string_view doing);

class PostgresSession final : public Session {
 public:
    PostgresSession(pqxx::transaction_base& transaction, const Clock& clock)
        : transaction_(transaction), clock_(clock) {}

    Timestamp now() override;

    // Whether a statement failed, whatever the closure made of that: the transaction is void then.
    std::optional<PostgresFailure> failure() const { return failure_; }
    std::string_view slowest_query() const { return slowest_name_; }

 private:
    Rows run(const Query& query, std::span<const Value> values) override;

    pqxx::transaction_base& transaction_;
    const Clock& clock_;
    std::optional<PostgresFailure> failure_;
    std::string_view slowest_name_;
    std::chrono::nanoseconds slowest_time_{-1};
};

}  // namespace synapsex::db
