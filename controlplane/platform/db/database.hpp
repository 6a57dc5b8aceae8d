#pragma once

// The one database interface, over SQLite (db/sqlite) or PostgreSQL.
//
//   return database_.write(call, [&](db::Session& s) -> Result<Tenant> {
//       if (!TenantStore{s}.insert(tenant)) return slug_taken(tenant.slug);
//       return tenant;
//   });
//
// The closure runs in a transaction: an error result, an exception or a failed statement undoes all
// it did. It may run more than once, so ids and times are made outside, and nothing outside is
// touched. Inside are only the service's own stores: no other service, no HTTP, no hashing; another
// read or write throws NestedTransaction. On SQLite a write runs on the writer's thread.
//
// A deadline that has passed before the closure starts, and a closure that runs past it, answer
// Kind::unavailable "database.busy" (503, Retry-After) and leave nothing behind.

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "controlplane/platform/auth/call.hpp"
#include "controlplane/platform/db/appended.hpp"
#include "controlplane/platform/db/effect.hpp"
#include "controlplane/platform/db/query.hpp"
#include "controlplane/platform/db/room.hpp"
#include "shared/base/result.hpp"

namespace synapsex::db {

class NestedTransaction : public std::logic_error {
 public:
    using std::logic_error::logic_error;
};

// One transaction. Made by the engine, used by stores, never kept.
class Session {
 public:
    virtual ~Session() = default;

    // All rows of the statement. Throws DatabaseError; also for text that PostgreSQL could not
    // keep, with a zero byte or no UTF-8: what comes from outside is refused before it gets here.
    template <class... Args>
    Rows query(const Query& query, const Args&... args) {
        const std::array<Value, sizeof...(Args)> values{to_value(args)...};
        refuse_broken_text(query, values);
        return run(query, values);
    }
    // At most one row, as a described struct by column names.
    template <Described T, class... Args>
    std::optional<T> find(const Query& statement, const Args&... args) {
        const auto rows = query(statement, args...);
        if (rows.empty()) return std::nullopt;
        return rows[0].template as<T>();
    }
    template <Described T, class... Args>
    std::vector<T> list(const Query& statement, const Args&... args) {
        const auto rows = query(statement, args...);
        std::vector<T> items;
        items.reserve(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) items.push_back(rows[i].template as<T>());
        return items;
    }
    // For INSERT, UPDATE, DELETE: how many rows changed.
    template <class... Args>
    std::int64_t execute(const Query& statement, const Args&... args) {
        return query(statement, args...).affected;
    }

    // Leaves a line for a table that a task empties again, as an outbox is. The transaction's last
    // statement writes it: `insert`, with $1 the tenant, $2 how many lines there are, $3 the lines,
    // each with its '\n'. Transactions that are committed together (SQLite) leave one row for each
    // tenant. No statement of the transaction sees it. Throws DatabaseError in a read, and for a
    // line that has a '\n' in it.
    void append(const Query& insert, std::string tenant, std::string line);
    // For the engine: what has been left since the last call of this.
    std::vector<AppendedLine> take_appended() { return std::exchange(appended_, {}); }

    // The database's clock: the only time that lease SQL may compare with.
    virtual Timestamp now() = 0;

    // What the database's disk has left: for those who leave something out then.
    Room room() const { return room_; }

 private:
    friend class Database;

    virtual Rows run(const Query& query, std::span<const Value> values) = 0;
    static void refuse_broken_text(const Query& query, std::span<const Value> values);

    Room room_ = Room::plenty;
    bool is_reading_ = false;
    std::vector<AppendedLine> appended_;
};

// The transaction in which migrations change the schema (migrate.hpp).
class SchemaChange {
 public:
    virtual ~SchemaChange() = default;
    // Runs a migration's text: any number of statements, spelled for this engine (dialect.hpp).
    virtual void run_script(std::string_view text) = 0;
    // For the record of what was applied, in the same transaction. Not for Session::append: a
    // schema is changed before anybody tells of anything.
    virtual Session& session() = 0;
};

// 503 "database.busy", Retry-After 1 s: the answer of every engine that cannot serve in time.
Problem busy(std::string detail);

// What a write sees of others that run beside it. claims (READ COMMITTED on PostgreSQL): for one
// statement that takes rows which others are not taking; closures that read first and write then
// need serializable.
enum class Isolation { serializable, claims };

// Work across tenants: presence, sweeps, finding out whose a credential is. Without one a
// transaction is of the call's tenant, and PostgreSQL shows it that tenant's rows only (SQLite
// relies on the stores, which take the tenant first). An architecture test lists them all.
struct SystemScope {
    std::string_view name;  // "auth.find_api_key"
    Isolation isolation = Isolation::serializable;
};

class Database {
 public:
    virtual ~Database() = default;

    // fn: Result<T>(Session&). A read lasts 5 s at most, 7 s where PostgreSQL hangs.
    template <class Fn>
    auto read(const Call& call, Fn&& fn) -> std::invoke_result_t<Fn, Session&> {
        return transact({call, {}}, fn, &Database::read_erased);
    }
    template <class Fn>
    auto write(const Call& call, Fn&& fn) -> std::invoke_result_t<Fn, Session&> {
        return transact({call, {}, call.effect}, fn, &Database::write_erased);
    }
    template <class Fn>
    auto read(SystemScope scope, const Call& call, Fn&& fn) -> std::invoke_result_t<Fn, Session&> {
        return transact({call, scope}, fn, &Database::read_erased);
    }
    template <class Fn>
    auto write(SystemScope scope, const Call& call, Fn&& fn)
        -> std::invoke_result_t<Fn, Session&> {
        return transact({call, scope, call.effect}, fn, &Database::write_erased);
    }

    // Prepares every statement, so that a typo stops the start and not a request. Throws
    // DatabaseError naming the query.
    virtual void prepare_all(std::span<const Query* const> queries) = 0;
    // For /readyz: quickly, and within 8 s where PostgreSQL hangs.
    virtual bool is_healthy() = 0;
    // As a DiskWatch found it; plenty where nobody looks, as on PostgreSQL. Any thread.
    Room room() const { return room_.load(std::memory_order_relaxed); }
    void set_room(Room room) { room_.store(room, std::memory_order_relaxed); }
    // For migrate() alone: one transaction without a deadline, alone on the whole database, also
    // among replicas. Commits unless `change` throws; foreign keys are checked before the commit.
    // `change` may run again, as closures do.
    virtual void change_schema(const std::function<void(SchemaChange&)>& change) = 0;

 protected:
    // Runs the body in a transaction; commits if it returns true. Returns the Problem of the
    // engine's own refusal (deadline, queue full), nullopt if the body ran to its end and the
    // outcome it asked for happened. Exceptions of the body are rethrown to the caller.
    using Body = std::function<bool(Session&)>;
    struct Caller {
        const Call& call;
        SystemScope scope;         // without a name: of the call's tenant
        Effect* effect = nullptr;  // told of what a write made
    };
    virtual std::optional<Problem> read_erased(const Caller& caller, const Body& body) = 0;
    virtual std::optional<Problem> write_erased(const Caller& caller, const Body& body) = 0;

    // Marks the thread that runs a closure, whichever thread the engine chose.
    class InsideTransaction {
     public:
        InsideTransaction();
        ~InsideTransaction();
        InsideTransaction(const InsideTransaction&) = delete;
        InsideTransaction& operator=(const InsideTransaction&) = delete;
    };
    static void refuse_nesting();

 private:
    template <class Fn>
    auto transact(
        const Caller& caller,
        Fn& fn,
        std::optional<Problem> (Database::*run)(const Caller&, const Body&)
    ) -> std::invoke_result_t<Fn, Session&> {
        using Outcome = std::invoke_result_t<Fn, Session&>;
        refuse_nesting();
        std::optional<Outcome> outcome;
        const Body body = [&](Session& session) {
            const InsideTransaction inside;
            session.room_ = room();
            session.is_reading_ = run == &Database::read_erased;
            outcome.emplace(fn(session));
            if (!outcome->has_value() || !caller.effect) return outcome->has_value();
            const Made made{typeid(**outcome), &**outcome};
            const auto recorded = caller.effect->record(session, made);
            if (!recorded) outcome.emplace(recorded.error());
            return recorded.has_value();
        };
        if (auto refusal = (this->*run)(caller, body)) return *std::move(refusal);
        return *std::move(outcome);
    }

    std::atomic<Room> room_{Room::plenty};
};

}  // namespace synapsex::db
