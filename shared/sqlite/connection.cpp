#include "shared/sqlite/connection.hpp"

#include <sqlite3.h>

#include <utility>

namespace synapsex::sqlite {

namespace {

int open_flags(Access access) {
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    return access == Access::create ? kFlags | SQLITE_OPEN_CREATE : kFlags;
}

}  // namespace

Connection::Connection(const OpenOptions& options) {
    const char* vfs = options.vfs.empty() ? nullptr : options.vfs.c_str();
    const int code =
        sqlite3_open_v2(options.path.c_str(), &handle_, open_flags(options.access), vfs);
    if (code != SQLITE_OK) {
        Error error{code, options.path + ": " + sqlite3_errstr(code)};
        sqlite3_close_v2(handle_);
        throw error;
    }
    try {
        sqlite3_busy_timeout(handle_, static_cast<int>(options.busy_timeout.count()));
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
        // Not a read-only open: that one cannot recover a WAL that a crash left behind.
        if (options.access == Access::query_only) pragma("query_only = 1");
    } catch (...) {
        sqlite3_close_v2(handle_);
        throw;
    }
}

Connection::~Connection() {
    sqlite3_close_v2(handle_);
}

void Connection::execute(const std::string& script) {
    const int code = sqlite3_exec(handle_, script.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
}

std::string Connection::pragma(std::string_view text) {
    auto statement = prepare("PRAGMA " + std::string{text});
    if (!statement.step() || statement.column_count() == 0) return {};
    return std::string{statement.text(0)};
}

Statement Connection::prepare(std::string_view sql, Lifetime lifetime) {
    return Statement{handle_, sql, lifetime};
}

bool Connection::is_in_transaction() const {
    return sqlite3_get_autocommit(handle_) == 0;
}

std::int64_t Connection::changes() const {
    return sqlite3_changes64(handle_);
}

void Connection::interrupt() {
    sqlite3_interrupt(handle_);
}

void Connection::on_progress(int steps, std::function<bool()> is_over) {
    is_over_ = std::move(is_over);
    if (!is_over_) return sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
    const auto ask = [](void* self) { return static_cast<Connection*>(self)->is_over_() ? 1 : 0; };
    sqlite3_progress_handler(handle_, steps, ask, this);
}

void Connection::fail(int code) const {
    throw Error{code, sqlite3_errmsg(handle_)};
}

Transaction::Transaction(Connection& connection) : connection_(connection) {
    connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    if (!connection_.is_in_transaction()) return;
    try {
        connection_.execute("ROLLBACK");
    } catch (const Error&) {
        // ROLLBACK fails only where SQLite has already undone the transaction by itself.
    }
}

void Transaction::commit() {
    connection_.execute("COMMIT");
}

}  // namespace synapsex::sqlite
