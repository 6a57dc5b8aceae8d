#pragma once

// One connection, and the transactions on it. Not thread-safe.

#include <chrono>
#include <memory>
#include <string>

#include "controlplane/platform/db/postgres/session.hpp"
#include "controlplane/platform/db/postgres/watchdog.hpp"
#include "shared/base/ids.hpp"

namespace synapsex::db {

// Who a transaction runs as; made by kPrepareDatabase (schema_rules.hpp).
enum class PostgresRole { owner, tenant, system };

struct PostgresTransaction {
    PostgresRole role = PostgresRole::tenant;
    TenantId tenant{};  // whose rows PostgresRole::tenant sees
    bool is_read_only = false;
    Isolation isolation = Isolation::serializable;  // of a write
    // 0: none. The server's limit for each statement; the watchdog's for all up to the COMMIT, and
    // for the COMMIT.
    std::chrono::milliseconds statement_time_max{0};
};

class PostgresConnection {
 public:
    // Throws PostgresError, without the URL in its text.
    PostgresConnection(const std::string& url, const Clock& clock, PostgresWatchdog& watchdog);
    ~PostgresConnection();

    // All of these throw PostgresError, and leave no transaction open unless the connection is
    // lost.
    void begin(const PostgresTransaction& wish);
    // Of the transaction that was begun.
    PostgresSession& session();
    void commit();
    void roll_back();
    // Any number of statements, inside the transaction or outside of one.
    void run_script(const std::string& text);
    // Parses and plans the statement without running it.
    void check(const Query& query);

    // Whether another transaction may be begun here.
    bool is_usable() const;

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace synapsex::db
