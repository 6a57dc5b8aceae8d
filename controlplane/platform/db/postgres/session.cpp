#include "controlplane/platform/db/postgres/session.hpp"

#include <array>
#include <charconv>
#include <pqxx/pqxx>

#include "controlplane/platform/db/postgres/placeholders.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::db {

namespace {

// Of pg_type, where they have always been.
enum TypeOid : unsigned {
    kBool = 16,
    kBytea = 17,
    kInt8 = 20,
    kInt2 = 21,
    kInt4 = 23,
    kFloat4 = 700,
    kFloat8 = 701,
    kNumeric = 1700,
};

template <class Number>
std::string digits_of(Number number) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    return {buffer.data(), end};
}

// As PostgreSQL reads it; nullopt is NULL.
std::optional<std::string> parameter_of(const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value.data)) return digits_of(*integer);
    if (const auto* real = std::get_if<double>(&value.data)) return digits_of(*real);
    const auto* text = std::get_if<std::string>(&value.data);
    if (!text) return std::nullopt;
    if (value.type == ValueType::blob) return "\\x" + crypto::to_hex(*text);
    return *text;
}

template <class Number>
Number number_of(std::string_view text) {
    Number number{};
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
        throw PostgresError(PostgresFailure::other, "no number: " + std::string{text});
    return number;
}

Value value_of(const pqxx::field& field) {
    if (field.is_null()) return {};
    const std::string_view text{field.c_str(), field.size()};
    switch (field.type()) {
        case kBytea:
            return {ValueType::blob, pqxx::binarystring{field}.str()};
        case kBool:
            return {ValueType::boolean, std::int64_t{text == "t"}};
        case kInt2:
        case kInt4:
        case kInt8:
            return {ValueType::integer, number_of<std::int64_t>(text)};
        case kNumeric:  // the sum of integers is one
            if (text.find('.') == text.npos)
                return {ValueType::integer, number_of<std::int64_t>(text)};
            [[fallthrough]];
        case kFloat4:
        case kFloat8:
            return {ValueType::real, number_of<double>(text)};
        default:
            return {ValueType::text, std::string{text}};
    }
}

Rows rows_of(const pqxx::result& result) {
    Rows rows;
    const auto width = result.columns();
    rows.columns.reserve(width);
    for (pqxx::row::size_type i = 0; i < width; ++i)
        rows.columns.emplace_back(result.column_name(i));
    rows.cells.reserve(result.size() * width);
    for (const auto& row : result)
        for (const auto& field : row) rows.cells.push_back(value_of(field));
    return rows;
}

// PostgreSQL counts the rows of a SELECT, too.
bool is_reading(std::string_view sql) {
    const auto start = sql.find_first_not_of(" \n\t");
    return start != sql.npos && sql.substr(start).starts_with("SELECT");
}

PostgresFailure failure_of(const std::string& sqlstate) {
    // unique_violation: only by a row that the closure could not see, since closures look first or
    // say ON CONFLICT.
    if (sqlstate == "23505") return PostgresFailure::taken;
    // lock_not_available: waits for locks have a limit where the schema is changed.
    if (sqlstate == "55P03") return PostgresFailure::conflict;
    if (sqlstate == "57014" || sqlstate == "25P03") return PostgresFailure::late;
    // admin_shutdown, crash_shutdown, cannot_connect_now
    if (sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03")
        return PostgresFailure::lost;
    return PostgresFailure::other;
}

}  // namespace

void rethrow_as_postgres_error(std::string_view doing) {
    const auto said = [&](const char* what) {
        std::string text = std::string{doing} + ": " + what;
        while (text.ends_with('\n')) text.pop_back();
        return text;
    };
    try {
        throw;
    } catch (const PostgresError& error) {
        throw PostgresError(error.failure, said(error.what()));
    } catch (const pqxx::sql_error& error) {
        throw PostgresError(failure_of(error.sqlstate()), said(error.what()));
    } catch (const pqxx::transaction_rollback& error) {  // 40001, 40P01
        throw PostgresError(PostgresFailure::conflict, said(error.what()));
    } catch (const pqxx::broken_connection& error) {
        throw PostgresError(PostgresFailure::lost, said(error.what()));
    } catch (const pqxx::failure& error) {
        throw PostgresError(PostgresFailure::other, said(error.what()));
    } catch (const DatabaseError& error) {
        throw PostgresError(PostgresFailure::other, said(error.what()));
    }
}

Timestamp PostgresSession::now() {
    static constexpr Query kNow{"database.now", R"sql(
        SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint AS now)sql"};
    return query(kNow)[0].get<Timestamp>("now");
}

Rows PostgresSession::run(const Query& query, std::span<const Value> values) {
    const auto started = clock_.steady_now();
    try {
        std::vector<std::optional<std::string>> texts;
        std::vector<const char*> parameters;
        texts.reserve(values.size());
        for (const auto& value : values) {
            const auto& text = texts.emplace_back(parameter_of(value));
            parameters.push_back(text ? text->c_str() : nullptr);
        }
        const auto result = transaction_.exec_params(
            with_types(query.on_postgres(), values), pqxx::prepare::make_dynamic_params(parameters)
        );
        auto rows = rows_of(result);
        if (!is_reading(query.on_postgres()))
            rows.affected = static_cast<std::int64_t>(result.affected_rows());
        const auto took = clock_.steady_now() - started;
        if (took > slowest_time_) {
            slowest_time_ = took;
            slowest_name_ = query.name;
        }
        return rows;
    } catch (...) {
        slowest_name_ = query.name;
        slowest_time_ = std::chrono::nanoseconds::max();
        try {
            rethrow_as_postgres_error(query.name);
        } catch (const PostgresError& error) {
            failure_ = error.failure;
            throw;
        } catch (...) {
            failure_ = PostgresFailure::other;
            throw;
        }
    }
}

}  // namespace synapsex::db
