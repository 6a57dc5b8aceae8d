#pragma once

// Private to this folder: libpqxx's connection as all here want it.

#include <pqxx/pqxx>
#include <string>

namespace synapsex::db {

struct RawConnection {
    // Throws what libpqxx throws, whose text may hold the URL.
    explicit RawConnection(const std::string& url);

    pqxx::connection connection;
    pqxx::quiet_errorhandler quiet;  // what fails is thrown, too
};

}  // namespace synapsex::db
