#include "controlplane/platform/db/postgres/postgres.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>

#include "controlplane/platform/db/dialect.hpp"
#include "controlplane/platform/db/outcome.hpp"
#include "controlplane/platform/db/postgres/connection_pool.hpp"
#include "controlplane/platform/db/postgres/schema_rules.hpp"
#include "shared/base/backoff.hpp"
#include "shared/base/log.hpp"

namespace synapsex::db {

namespace {

// For each statement and not for each row: one that row level security shows nothing to is told,
// too. The roles have no right to TRUNCATE; who has it is told as well.
constexpr std::string_view kAppendOnly = R"sql(
CREATE OR REPLACE FUNCTION synapsex_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER @_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON @
FOR EACH STATEMENT EXECUTE FUNCTION synapsex_refuse_change())sql";

constexpr std::array<Spelling, 8> kDialect{{
    {"id", "TEXT"},
    {"counter", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"},
    {"int", "BIGINT"},
    {"bool", "BOOLEAN"},
    {"real", "DOUBLE PRECISION"},
    {"bytes", "BYTEA"},
    {"strict", ""},
    {"append_only", kAppendOnly},
}};

// Whoever changes a schema waits for the others that do.
constexpr std::string_view kLockSchema =
    "SELECT pg_advisory_xact_lock(hashtextextended('synapsex.schema', 0))";

// From then on. Whoever waits for a table keeps everybody else from it, too: the release that runs
// beside a migration would stand still for as long as a dump of the database takes. Shorter than
// what a closure may take.
constexpr std::string_view kLimitLockWaits = "SET LOCAL lock_timeout = '500ms'";

class PostgresSchemaChange final : public SchemaChange {
 public:
    explicit PostgresSchemaChange(PostgresConnection& connection) : connection_(connection) {}

    void run_script(std::string_view text) override {
        try {
            connection_.run_script(spell(text, kDialect));
            connection_.run_script(std::string{kFinishTables});
        } catch (const PostgresError& error) {
            failure_ = error.failure;
            throw;
        }
    }
    Session& session() override { return connection_.session(); }

    // Of a script, whatever became of its exception.
    std::optional<PostgresFailure> failure() const { return failure_; }

 private:
    PostgresConnection& connection_;
    std::optional<PostgresFailure> failure_;
};

struct Counters {
    Counter& commits;
    Counter& reruns;
    Counter& refusals;
};

Counters make_counters(Metrics& metrics, const std::string& name) {
    const Labels labels{{"database", name}};
    return {
        .commits = metrics.counter(
            "synapsex_database_commits_total", "Transactions that wrote and committed.", labels
        ),
        .reruns = metrics.counter(
            "synapsex_database_reruns_total",
            "Closures that ran again because of what ran beside them, or a lost connection.", labels
        ),
        .refusals = metrics.counter(
            "synapsex_database_refusals_total", "Calls that were answered database.busy.", labels
        ),
    };
}

constexpr std::chrono::milliseconds kRerunWait{2};
constexpr std::chrono::milliseconds kRerunWaitMax{100};
constexpr std::chrono::milliseconds kSchemaWait{200};
constexpr std::chrono::milliseconds kSchemaWaitMax{2'000};

class PostgresDatabase final : public Database {
 public:
    PostgresDatabase(
        const PostgresOptions& options, const Clock& clock, Random& random, Metrics& metrics
    )
        : options_(options),
          clock_(clock),
          random_(random),
          counters_(make_counters(metrics, options_.name)),
          pool_(options_, clock) {
        metrics.gauge(
            "synapsex_database_connections_in_use", "Connections that are lent.",
            [this] { return static_cast<double>(pool_.in_use()); }, {{"database", options_.name}}
        );
        (void)pool_.acquire(Deadline::never());
    }

    void prepare_all(std::span<const Query* const> queries) override {
        auto connection = *pool_.acquire(Deadline::never());
        connection->begin({.role = PostgresRole::system, .is_read_only = true});
        try {
            for (const auto* query : queries) connection->check(*query);
        } catch (...) {
            connection->roll_back();
            throw;
        }
        connection->roll_back();
    }

    bool is_healthy() override {
        static constexpr Query kProbe{"database.probe", "SELECT 1 AS one"};
        const auto limit = Deadline::after(clock_, std::chrono::seconds{1});
        try {
            const auto probe = [](Session& session) { return !session.query(kProbe).empty(); };
            const PostgresTransaction wish{.role = PostgresRole::system, .is_read_only = true};
            const auto outcome = run(wish, limit, probe).outcome;
            return !outcome.refusal && !outcome.failure;
        } catch (const std::exception& error) {
            log_error("database unhealthy", {{"database", options_.name}, {"why", error.what()}});
            return false;
        }
    }

    void change_schema(const std::function<void(SchemaChange&)>& change) override {
        refuse_nesting();
        Backoff backoff{kSchemaWait, kSchemaWaitMax};
        const auto started = clock_.steady_now();
        while (!try_change_schema(
            change, clock_.steady_now() - started < options_.schema_time_max
        )) {
            log_warning("schema not changed yet: others are at its tables", {});
            std::unique_lock lock{ended_mutex_};
            ended_.wait_for(lock, backoff.next(random_));
        }
    }

 private:
    // False if it left nothing behind, because others were at the tables, and is to be tried again.
    bool try_change_schema(const std::function<void(SchemaChange&)>& change, bool is_patient) {
        auto connection = *pool_.acquire(Deadline::never());
        connection->begin({.role = PostgresRole::owner});
        PostgresSchemaChange schema{*connection};
        try {
            const InsideTransaction inside;
            connection->run_script(std::string{kLockSchema});
            connection->run_script(std::string{kLimitLockWaits});
            connection->run_script(std::string{kPrepareDatabase});
            change(schema);
        } catch (...) {
            connection->roll_back();
            if (schema.failure() == PostgresFailure::conflict && is_patient) return false;
            throw;
        }
        connection->commit();
        return true;
    }

    std::optional<Problem> read_erased(const Caller& caller, const Body& body) override {
        auto wish = wish_of(caller);
        wish.is_read_only = true;
        return transact(caller.call, wish, body);
    }
    std::optional<Problem> write_erased(const Caller& caller, const Body& body) override {
        return transact(caller.call, wish_of(caller), body);
    }
    static PostgresTransaction wish_of(const Caller& caller) {
        if (!caller.scope.name.empty())
            return {.role = PostgresRole::system, .isolation = caller.scope.isolation};
        return {.role = PostgresRole::tenant, .tenant = caller.call.tenant};
    }

    std::optional<Problem> transact(
        const Call& call, const PostgresTransaction& wish, const Body& body
    ) {
        const auto time_max = wish.is_read_only ? options_.read_time_max : options_.write_time_max;
        Backoff backoff{kRerunWait, kRerunWaitMax};
        const auto started = clock_.steady_now();
        for (;;) {
            if (call.deadline.is_expired(clock_)) return refuse("The request's time was over.");
            const auto limit = call.deadline.earlier(Deadline::after(clock_, time_max));
            auto tried = run(wish, limit, body);
            if (!tried.again_after)
                return settle(std::move(tried.outcome), options_.name, options_.slow_time);
            if (clock_.steady_now() - started > patience(*tried.again_after))
                return refuse(*tried.again_after, tried.outcome.failure);
            counters_.reruns.add();
            std::unique_lock lock{ended_mutex_};
            ended_.wait_for(lock, backoff.next(random_));
        }
    }

    std::chrono::milliseconds patience(PostgresFailure why) const {
        return why == PostgresFailure::lost ? options_.lost_time_max : options_.conflict_time_max;
    }

    struct Run {
        Outcome outcome{};
        std::optional<PostgresFailure> again_after{};  // it left nothing behind
    };

    // Once, on a connection that is free by the limit.
    Run run(const PostgresTransaction& wish, Deadline limit, const Body& body) {
        Run run;
        bool is_committing = false;
        try {
            auto connection = pool_.acquire(limit);
            if (!connection) {
                run.outcome.refusal = refuse("All connections to the database are in use.");
                return run;
            }
            run_on(**connection, with_limit(wish, limit), body, run.outcome, is_committing);
        } catch (const PostgresError& error) {
            run.outcome.failure = std::current_exception();
            // What broke off at its COMMIT may have happened.
            if (error.failure == PostgresFailure::conflict ||
                error.failure == PostgresFailure::taken ||
                (error.failure == PostgresFailure::lost && !is_committing))
                run.again_after = error.failure;
            if (error.failure == PostgresFailure::late) {
                run.outcome.failure = nullptr;
                run.outcome.refusal = refuse("The transaction took too long.");
            }
        } catch (...) {
            run.outcome.failure = std::current_exception();
        }
        return run;
    }

    void run_on(
        PostgresConnection& connection,
        const PostgresTransaction& wish,
        const Body& body,
        Outcome& outcome,
        bool& is_committing
    ) {
        connection.begin(wish);
        const auto started = clock_.steady_now();
        const auto note = [&] {
            outcome.took = clock_.steady_now() - started;
            outcome.slowest_query = connection.session().slowest_query();
        };
        try {
            const bool is_kept = body(connection.session());
            note();
            // Also if the closure went on after it.
            if (const auto failure = connection.session().failure())
                throw PostgresError(*failure, "a statement of the closure failed");
            if (outcome.took > wish.statement_time_max)
                throw PostgresError(PostgresFailure::late, "the closure took too long");
            if (is_kept && !wish.is_read_only) {
                Appended appended;
                appended.add(connection.session().take_appended());
                appended.write(connection.session());
                is_committing = true;
            }
        } catch (...) {
            note();
            connection.roll_back();
            throw;
        }
        if (!is_committing) return connection.roll_back();
        connection.commit();
        counters_.commits.add();
        ended_.notify_all();
    }

    PostgresTransaction with_limit(PostgresTransaction wish, Deadline limit) const {
        using std::chrono::milliseconds;
        const auto left = std::chrono::ceil<milliseconds>(limit.remaining(clock_));
        wish.statement_time_max = std::max(left, milliseconds{1});
        return wish;
    }

    // Of what was tried often enough.
    Problem refuse(PostgresFailure why, const std::exception_ptr& failure) {
        if (why != PostgresFailure::lost) return refuse("Too much else is written at once.");
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            log_error("database lost", {{"database", options_.name}, {"why", error.what()}});
        }
        return refuse("The database cannot be reached.");
    }
    Problem refuse(std::string detail) {
        counters_.refusals.add();
        return busy(std::move(detail));
    }

    const PostgresOptions options_;
    const Clock& clock_;
    Random& random_;
    Counters counters_;
    PostgresPool pool_;
    std::mutex ended_mutex_;
    std::condition_variable ended_;  // a transaction that wrote: its rivals may try again
};

}  // namespace

std::unique_ptr<Database> open_postgres(
    const PostgresOptions& options, const Clock& clock, Random& random, Metrics& metrics
) {
    return std::make_unique<PostgresDatabase>(options, clock, random, metrics);
}

}  // namespace synapsex::db
