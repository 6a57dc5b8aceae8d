#pragma once

// A prepared statement: bind, step, read columns, reset. Parameters are written $1 to $n, as
// PostgreSQL has them; to SQLite those are names, so they are bound by name and may stand in any
// order and more than once.
//
//   auto insert = connection.prepare("INSERT INTO spool (slot, body) VALUES ($1, $2)");
//   insert.bind(1, slot);
//   insert.bind_blob(2, body);
//   insert.run();

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace synapsex::sqlite {

// Tells SQLite where to take a statement's memory from.
enum class Lifetime { brief, cached };

enum class ColumnType { null, integer, real, text, blob };

class Statement {
 public:
    // One statement. Throws Error for bad SQL, and for parameters other than $1 to $n without gaps.
    Statement(sqlite3* connection, std::string_view sql, Lifetime lifetime);

    // `number` is 2 for $2. Text and bytes are copied.
    void bind(int number, std::int64_t value);
    void bind(int number, double value);
    void bind(int number, std::string_view text);
    void bind_blob(int number, std::string_view bytes);
    void bind_null(int number);
    int parameter_count() const { return static_cast<int>(positions_.size()); }

    // True: a row is there. False: the statement has ended.
    bool step();
    // Steps to the end, dropping rows, and resets.
    void run();
    // Ready to run again; parameters are kept. Never throws: a failed step has already told.
    void reset() noexcept;
    void clear_bindings() noexcept;

    int column_count() const;
    std::string_view column_name(int column) const;
    ColumnType column_type(int column) const;
    std::int64_t integer(int column) const;
    double real(int column) const;
    // Valid until the next step or reset.
    std::string_view text(int column) const;
    std::string_view blob(int column) const;

    // The statement cannot change the database.
    bool is_read_only() const;

 private:
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const noexcept;
    };
    int position_of(int number) const;
    void check(int code) const;
    void number_parameters();

    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
    std::vector<int> positions_;  // SQLite's index of $1, $2, …
};

// Resets at the end of the scope, so that no statement holds a lock or a parameter's bytes longer.
class ResetOnExit {
 public:
    explicit ResetOnExit(Statement& statement) : statement_(statement) {}
    ~ResetOnExit() {
        statement_.reset();
        statement_.clear_bindings();
    }
    ResetOnExit(const ResetOnExit&) = delete;
    ResetOnExit& operator=(const ResetOnExit&) = delete;

 private:
    Statement& statement_;
};

}  // namespace synapsex::sqlite
