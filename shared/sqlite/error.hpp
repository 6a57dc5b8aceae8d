#pragma once

// What SQLite refused, as an exception that carries the code. Decide on failure() or
// extended_code(); what() is for the log and changes between SQLite's releases.

#include <stdexcept>
#include <string>

namespace synapsex::sqlite {

enum class Failure {
    busy,         // another connection holds the lock
    constraint,   // UNIQUE, CHECK, NOT NULL, FOREIGN KEY, STRICT types
    full,         // disk full, or past the connection's limit of pages
    io,           // the file system failed
    interrupted,  // Connection::interrupt or the progress handler
    out_of_memory,
    corrupt,  // damaged, or no database at all
    other,    // bad SQL, read-only file, misuse
};

class Error : public std::runtime_error {
 public:
    Error(int extended_code, const std::string& message);

    // SQLite's own number, SQLITE_IOERR_FSYNC for instance.
    int extended_code() const { return extended_code_; }
    Failure failure() const;

 private:
    int extended_code_;
};

}  // namespace synapsex::sqlite
