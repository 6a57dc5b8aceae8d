#include "shared/sqlite/statement.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "shared/sqlite/error.hpp"

namespace synapsex::sqlite {

namespace {

constexpr std::string_view kBadParameters = "parameters are $1 to $n, without gaps";

// 3 for "$3", 0 for anything else.
int parameter_number(const char* name) {
    if (!name || name[0] != '$') return 0;
    const std::string_view digits{name + 1};
    int number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc{} && end == digits.data() + digits.size() ? number : 0;
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n;") == text.npos;
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* handle) const noexcept {
    sqlite3_finalize(handle);
}

Statement::Statement(sqlite3* connection, std::string_view sql, Lifetime lifetime) {
    const unsigned flags = lifetime == Lifetime::cached ? SQLITE_PREPARE_PERSISTENT : 0U;
    sqlite3_stmt* handle = nullptr;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v3(
        connection, sql.data(), static_cast<int>(sql.size()), flags, &handle, &tail
    );
    handle_.reset(handle);
    if (code != SQLITE_OK) throw Error{code, sqlite3_errmsg(connection)};
    if (!handle) throw Error{SQLITE_ERROR, "no statement"};
    if (!is_blank({tail, sql.data() + sql.size()}))
        throw Error{SQLITE_ERROR, "more than one statement"};
    number_parameters();
}

void Statement::number_parameters() {
    const int count = sqlite3_bind_parameter_count(handle_.get());
    positions_.assign(static_cast<std::size_t>(count), 0);
    for (int position = 1; position <= count; ++position) {
        const int number = parameter_number(sqlite3_bind_parameter_name(handle_.get(), position));
        if (number < 1 || number > count) throw Error{SQLITE_ERROR, std::string{kBadParameters}};
        positions_[static_cast<std::size_t>(number - 1)] = position;
    }
    // "$1" and "$01" are two names for one number.
    if (std::ranges::count(positions_, 0) != 0)
        throw Error{SQLITE_ERROR, std::string{kBadParameters}};
}

int Statement::position_of(int number) const {
    if (number < 1 || number > parameter_count())
        throw Error{SQLITE_RANGE, "no parameter $" + std::to_string(number)};
    return positions_[static_cast<std::size_t>(number - 1)];
}

void Statement::bind(int number, std::int64_t value) {
    check(sqlite3_bind_int64(handle_.get(), position_of(number), value));
}

void Statement::bind(int number, double value) {
    check(sqlite3_bind_double(handle_.get(), position_of(number), value));
}

void Statement::bind(int number, std::string_view text) {
    // A null pointer would bind NULL, and an empty view may have one.
    const char* bytes = text.empty() ? "" : text.data();
    check(sqlite3_bind_text64(
        handle_.get(), position_of(number), bytes, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8
    ));
}

void Statement::bind_blob(int number, std::string_view bytes) {
    const char* data = bytes.empty() ? "" : bytes.data();
    check(sqlite3_bind_blob64(
        handle_.get(), position_of(number), data, bytes.size(), SQLITE_TRANSIENT
    ));
}

void Statement::bind_null(int number) {
    check(sqlite3_bind_null(handle_.get(), position_of(number)));
}

bool Statement::step() {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    check(code);
    return false;
}

void Statement::run() {
    const ResetOnExit reset_on_exit{*this};
    while (step()) {
    }
}

void Statement::reset() noexcept {
    sqlite3_reset(handle_.get());
}

void Statement::clear_bindings() noexcept {
    sqlite3_clear_bindings(handle_.get());
}

int Statement::column_count() const {
    return sqlite3_column_count(handle_.get());
}

std::string_view Statement::column_name(int column) const {
    const char* name = sqlite3_column_name(handle_.get(), column);
    if (!name) throw Error{SQLITE_NOMEM, "no name for a column"};
    return name;
}

ColumnType Statement::column_type(int column) const {
    switch (sqlite3_column_type(handle_.get(), column)) {
        case SQLITE_INTEGER:
            return ColumnType::integer;
        case SQLITE_FLOAT:
            return ColumnType::real;
        case SQLITE_TEXT:
            return ColumnType::text;
        case SQLITE_BLOB:
            return ColumnType::blob;
        default:
            return ColumnType::null;
    }
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(handle_.get(), column);
}

double Statement::real(int column) const {
    return sqlite3_column_double(handle_.get(), column);
}

std::string_view Statement::text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    if (!bytes) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

std::string_view Statement::blob(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
    if (!bytes) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

bool Statement::is_read_only() const {
    return sqlite3_stmt_readonly(handle_.get()) != 0;
}

void Statement::check(int code) const {
    if (code == SQLITE_OK) return;
    throw Error{code, sqlite3_errmsg(sqlite3_db_handle(handle_.get()))};
}

}  // namespace synapsex::sqlite
