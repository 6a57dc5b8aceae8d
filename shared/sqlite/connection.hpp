#pragma once

// One connection to one SQLite file. Together with statement.hpp this is all of SQLite that the
// rest of the project sees: nothing else includes sqlite3.h. The control plane's engine and the
// agent's spool stand on it.
//
// A connection is used by one thread at a time (SQLite's own mutexes are off); only interrupt() may
// come from elsewhere. It outlives its statements. Every failure is an Error.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "shared/sqlite/error.hpp"
#include "shared/sqlite/statement.hpp"

struct sqlite3;

namespace synapsex::sqlite {

enum class Access {
    create,      // read and write; the file is made if it is missing
    read_write,  // the file has to exist
    query_only,  // the file has to exist; a statement that would change it fails
};

struct OpenOptions {
    std::string path;
    Access access = Access::create;
    // How long a statement waits for another connection's lock before Failure::busy.
    std::chrono::milliseconds busy_timeout{0};
    // A registered VFS; empty for the system's. Crash tests register one that loses writes.
    std::string vfs{};
};

class Connection {
 public:
    // Foreign keys are enforced, "text" in double quotes is never a string, and SQL cannot reach
    // the schema's own tables.
    explicit Connection(const OpenOptions& options);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Runs a script of any number of statements without parameters; what they return is dropped.
    void execute(const std::string& script);
    // pragma("journal_mode = WAL"): the first column of the answer, empty if there is none.
    std::string pragma(std::string_view text);
    Statement prepare(std::string_view sql, Lifetime lifetime = Lifetime::brief);

    // False once a transaction has ended, also when SQLite itself ended it: a full disk, an I/O
    // error, lack of memory or an interrupt can undo everything since BEGIN.
    bool is_in_transaction() const;
    // Rows changed by the last INSERT, UPDATE or DELETE.
    std::int64_t changes() const;

    // All of `source`'s database over this one's; `progress` is told of pages done and of all.
    void copy_from(
        Connection& source,
        const std::function<void(std::int64_t done, std::int64_t all)>& progress
    );

    // Makes the statement that is running fail with Failure::interrupted. Any thread.
    void interrupt();
    // Calls `is_over` about every `steps` virtual-machine instructions, on the connection's thread;
    // true interrupts the statement. It must not throw.
    void on_progress(int steps, std::function<bool()> is_over);

 private:
    [[noreturn]] void fail(int code) const;

    sqlite3* handle_ = nullptr;
    std::function<bool()> is_over_;
};

// BEGIN IMMEDIATE now; ROLLBACK at the end of the scope unless commit() succeeded.
class Transaction {
 public:
    explicit Transaction(Connection& connection);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    // Throws, and nothing is committed, if SQLite cannot.
    void commit();

 private:
    Connection& connection_;
};

}  // namespace synapsex::sqlite
