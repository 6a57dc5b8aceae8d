#include "controlplane/platform/db/sqlite/session.hpp"

namespace synapsex::db {

namespace {

// Far above the number of constants in the program; only SQL built from strings could reach it.
constexpr std::size_t kStatementsMax = 4096;

void bind(sqlite::Statement& statement, int number, const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value.data)) {
        statement.bind(number, *integer);
    } else if (const auto* real = std::get_if<double>(&value.data)) {
        statement.bind(number, *real);
    } else if (const auto* text = std::get_if<std::string>(&value.data)) {
        if (value.type == ValueType::blob)
            statement.bind_blob(number, *text);
        else
            statement.bind(number, std::string_view{*text});
    } else {
        statement.bind_null(number);
    }
}

Value read_column(const sqlite::Statement& statement, int column) {
    switch (statement.column_type(column)) {
        case sqlite::ColumnType::integer:
            return {ValueType::integer, statement.integer(column)};
        case sqlite::ColumnType::real:
            return {ValueType::real, statement.real(column)};
        case sqlite::ColumnType::text:
            return {ValueType::text, std::string{statement.text(column)}};
        case sqlite::ColumnType::blob:
            return {ValueType::blob, std::string{statement.blob(column)}};
        case sqlite::ColumnType::null:
            break;
    }
    return {};
}

DatabaseError failed(const Query& query, const std::string& why) {
    return DatabaseError(std::string{query.name} + ": " + why);
}

}  // namespace

// A query that failed took its time too.
class SqliteSession::Timing {
 public:
    Timing(SqliteSession& session, std::string_view name)
        : session_(session), name_(name), started_(session.clock_.steady_now()) {}
    ~Timing() {
        const auto took = session_.clock_.steady_now() - started_;
        if (took <= session_.slowest_time_) return;
        session_.slowest_time_ = took;
        session_.slowest_name_ = name_;
    }
    Timing(const Timing&) = delete;
    Timing& operator=(const Timing&) = delete;

 private:
    SqliteSession& session_;
    std::string_view name_;
    SteadyTime started_;
};

std::string_view SqliteSession::take_slowest() {
    slowest_time_ = std::chrono::nanoseconds{-1};
    return std::exchange(slowest_name_, {});
}

Rows SqliteSession::run(const Query& query, std::span<const Value> values) {
    try {
        return run_statement(query, values);
    } catch (...) {
        has_failed_ = true;
        throw;
    }
}

Rows SqliteSession::run_statement(const Query& query, std::span<const Value> values) {
    // After an error that ended the transaction a closure may go on; what it ran now would be
    // committed by itself.
    if (!connection_.is_in_transaction()) throw failed(query, "the transaction has ended");
    const Timing timing{*this, query.name};
    Rows rows;
    try {
        auto& [sql, statement, columns] = statement_of(query);
        if (static_cast<int>(values.size()) != statement.parameter_count())
            throw failed(
                query,
                "got " + std::to_string(values.size()) + " values for " +
                    std::to_string(statement.parameter_count()) + " parameters"
            );
        const sqlite::ResetOnExit reset_on_exit{statement};
        for (std::size_t i = 0; i < values.size(); ++i)
            bind(statement, static_cast<int>(i) + 1, values[i]);
        rows.columns = columns;
        const int width = statement.column_count();
        while (statement.step())
            for (int i = 0; i < width; ++i) rows.cells.push_back(read_column(statement, i));
        if (!statement.is_read_only())
            rows.affected =
                width > 0 ? static_cast<std::int64_t>(rows.size()) : connection_.changes();
    } catch (const sqlite::Error& error) {
        throw failed(query, error.what());
    }
    return rows;
}

SqliteSession::Cached& SqliteSession::statement_of(const Query& query) {
    const auto found = statements_.find(query.sql.data());
    if (found != statements_.end()) {
        if (found->second.sql == query.sql) return found->second;
        statements_.erase(found);
    }
    if (statements_.size() >= kStatementsMax) statements_.clear();
    try {
        Cached cached{
            std::string{query.sql}, connection_.prepare(query.sql, sqlite::Lifetime::cached), {}};
        for (int i = 0; i < cached.statement.column_count(); ++i)
            cached.columns.emplace_back(cached.statement.column_name(i));
        return statements_.emplace(query.sql.data(), std::move(cached)).first->second;
    } catch (const sqlite::Error& error) {
        throw failed(query, error.what());
    }
}

}  // namespace synapsex::db
