#include "shared/sqlite/error.hpp"

#include <sqlite3.h>

namespace synapsex::sqlite {

Error::Error(int extended_code, const std::string& message)
    : std::runtime_error(message + " (SQLite " + std::to_string(extended_code) + ")"),
      extended_code_(extended_code) {}

Failure Error::failure() const {
    constexpr int kPrimaryMask = 0xFF;
    switch (extended_code_ & kPrimaryMask) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Failure::busy;
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH:
            return Failure::constraint;
        case SQLITE_FULL:
            return Failure::full;
        case SQLITE_IOERR:
            return Failure::io;
        case SQLITE_INTERRUPT:
            return Failure::interrupted;
        case SQLITE_NOMEM:
            return Failure::out_of_memory;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Failure::corrupt;
        default:
            return Failure::other;
    }
}

}  // namespace synapsex::sqlite
