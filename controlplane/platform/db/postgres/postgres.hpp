#pragma once

// The PostgreSQL engine (15 and later): a bounded pool of connections, used from any thread.
//
// - A write is a SERIALIZABLE transaction: closures are written as if they ran one after another,
//   as they do on SQLite. One that PostgreSQL refuses for what ran beside it runs again, with
//   jitter, until the call's deadline. A read sees one snapshot.
// - Every transaction runs in a role that owns nothing: that of the call's tenant, which sees no
//   row of another (row level security, forced on every table with a tenant_id), or, in a
//   SystemScope, one that sees all. The owner of the tables, who connects, only migrates.
// - Statements are sent with their parameters and never prepared, and what a transaction sets ends
//   with it, so pgbouncer may pool transactions.
// - A COMMIT whose answer is lost throws DatabaseError: nobody is told of a success that may not
//   be.
// - A server that hangs without closing holds no thread: a transaction that is past its time is
//   given up from here (silence_max). Opening a connection takes connect_timeout at most, 5 s
//   unless the URL says otherwise. Migrations and prepare_all wait without a limit.

#include <chrono>
#include <memory>
#include <string>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/metrics.hpp"
#include "shared/base/random.hpp"
#include "shared/base/time.hpp"

namespace synapsex::db {

struct PostgresOptions {
    std::string url{};                 // postgresql://…, with the password: never logged
    std::string name = "main";         // label of metrics and logs
    std::size_t connections_max = 16;  // who finds none free waits, as long as its deadline allows
    std::chrono::milliseconds write_time_max{2'000};  // of one run of a closure
    std::chrono::milliseconds read_time_max{5'000};
    // How long a closure is run again and again, if the call's deadline allows.
    std::chrono::milliseconds conflict_time_max{10'000};
    std::chrono::milliseconds lost_time_max{1'000};  // who waits longer keeps a thread from others
    // How long past its time a transaction waits for a server that does not answer and does not
    // close, before it counts as lost.
    std::chrono::milliseconds silence_max{2'000};
    std::chrono::milliseconds slow_time{50};  // a longer closure is logged
    // How long a migration asks again and again for tables that others are at.
    std::chrono::milliseconds schema_time_max{60'000};
};

// Connects once, so that a wrong URL stops the start. Clock, random and metrics outlive the
// database. Throws DatabaseError, whose text never holds the URL.
std::unique_ptr<Database> open_postgres(
    const PostgresOptions& options, const Clock& clock, Random& random, Metrics& metrics
);

}  // namespace synapsex::db
