#include "controlplane/platform/db/sqlite/batch.hpp"

namespace synapsex::db {

namespace {

// Somebody else's lock passes; anything else is for the operator.
void blame(Outcome& outcome, const std::exception& error) {
    const auto* of_sqlite = dynamic_cast<const sqlite::Error*>(&error);
    if (of_sqlite && of_sqlite->failure() == sqlite::Failure::busy) {
        outcome.refusal = busy("Another program holds the database's lock.");
    } else {
        outcome.failure = std::make_exception_ptr(DatabaseError(error.what()));
    }
}

void blame_lost_transaction(Outcome& outcome) {
    outcome.refusal.reset();
    if (!outcome.failure)
        outcome.failure =
            std::make_exception_ptr(DatabaseError("a statement failed and ended the transaction"));
}

Problem too_late() {
    return busy("The database could not begin the work in time.");
}

sqlite::Statement prepare(sqlite::Connection& connection, std::string_view sql) {
    return connection.prepare(sql, sqlite::Lifetime::cached);
}

}  // namespace

BatchRunner::BatchRunner(
    const SqliteOptions& options,
    sqlite::Connection& connection,
    SqliteSession& session,
    const Clock& clock,
    const Counters& counters
)
    : options_(options),
      connection_(connection),
      session_(session),
      clock_(clock),
      counters_(counters),
      begin_(prepare(connection, "BEGIN IMMEDIATE")),
      commit_(prepare(connection, "COMMIT")),
      rollback_(prepare(connection, "ROLLBACK")),
      savepoint_(prepare(connection, "SAVEPOINT closure")),
      release_(prepare(connection, "RELEASE closure")),
      undo_(prepare(connection, "ROLLBACK TO closure")) {
    ran_.reserve(options.batch_max);  // no lack of memory between claiming a write and keeping it
}

std::size_t BatchRunner::run(WriteSource& source) {
    taken_ = 0;
    try {
        begin_.run();
    } catch (const sqlite::Error& error) {
        refuse_all(source, error);
        return taken_;
    }
    const auto* culprit = run_shared(source);
    if (culprit || !try_commit()) {
        roll_back();
        if (ran_.size() > 1) run_each_alone(culprit);
    }
    answer_all();
    return taken_;
}

const PendingWrite* BatchRunner::run_shared(WriteSource& source) {
    const auto started = clock_.steady_now();
    while (taken_ < options_.batch_max) {
        if (taken_ > 0 && clock_.steady_now() - started > options_.batch_time) break;
        auto write = source.next(taken_);
        if (!write) break;
        ++taken_;
        if (!start(*write)) continue;
        ran_.push_back(std::move(write));
        if (run_in_savepoint(*ran_.back()) == Ending::lost) return ran_.back().get();
    }
    return nullptr;
}

void BatchRunner::refuse_all(WriteSource& source, const sqlite::Error& error) {
    // All who wait now: each would meet the same, and a foreign lock is waited for before it is
    // told.
    while (const auto write = source.next(taken_)) {
        ++taken_;
        if (!start(*write)) continue;
        blame(write->outcome, error);
        count(write->outcome);
        write->answer();
    }
}

bool BatchRunner::start(PendingWrite& write) {
    if (!write.claim()) return false;
    counters_.waits.observe(clock_.steady_now() - write.queued_at);
    if (!write.deadline.is_expired(clock_)) return true;
    write.outcome.refusal = too_late();
    count(write.outcome);
    write.answer();
    return false;
}

BatchRunner::Ending BatchRunner::run_in_savepoint(PendingWrite& write) {
    try {
        savepoint_.run();
        const bool is_kept = run_closure(write);
        if (connection_.is_in_transaction()) {
            if (!is_kept) undo_.run();
            release_.run();
            if (is_kept) appended_.add(session_.take_appended());
            return Ending::kept;
        }
        blame_lost_transaction(write.outcome);
    } catch (const std::exception& error) {
        blame(write.outcome, error);
    }
    return Ending::lost;
}

void BatchRunner::run_alone(PendingWrite& write) {
    if (write.deadline.is_expired(clock_)) {
        write.outcome = Outcome{.refusal = too_late()};
        return;
    }
    try {
        begin_.run();
        const bool is_kept = run_closure(write);
        if (!connection_.is_in_transaction()) {
            blame_lost_transaction(write.outcome);
        } else if (is_kept) {
            appended_.add(session_.take_appended());
            commit();
        }
    } catch (const std::exception& error) {
        blame(write.outcome, error);
    }
    roll_back();
}

bool BatchRunner::run_closure(PendingWrite& write) {
    auto& outcome = write.outcome;
    outcome = {};
    session_.take_slowest();
    session_.take_failure();
    session_.take_appended();
    const auto started = clock_.steady_now();
    bool is_kept = false;
    try {
        is_kept = write.run(session_);
    } catch (...) {
        outcome.failure = std::current_exception();
    }
    const auto ended = clock_.steady_now();
    outcome.took = ended - started;
    outcome.slowest_query = session_.take_slowest();
    // What PostgreSQL does with a transaction in which a statement failed: nothing of it is kept,
    // also if the closure went on.
    if (session_.take_failure() && is_kept)
        outcome.failure =
            std::make_exception_ptr(DatabaseError("a statement of the closure failed"));
    if (outcome.failure) return false;
    if (ended >= write.deadline.instant() || outcome.took > options_.write_time_max) {
        outcome.refusal = busy("The work took too long and was undone.");
        return false;
    }
    return is_kept;
}

void BatchRunner::run_each_alone(const PendingWrite* culprit) {
    for (const auto& write : ran_) {
        if (write.get() == culprit) continue;
        counters_.reruns.add();
        run_alone(*write);
    }
}

bool BatchRunner::try_commit() {
    try {
        commit();
        return true;
    } catch (const std::exception& error) {
        // Of several, each runs again by itself and meets the error if it is its own.
        if (ran_.size() == 1) blame(ran_.front()->outcome, error);
        return false;
    }
}

void BatchRunner::commit() {
    appended_.write(session_);
    const auto started = clock_.steady_now();
    commit_.run();
    counters_.commits.observe(clock_.steady_now() - started);
    counters_.batches.add();
}

void BatchRunner::roll_back() {
    appended_.clear();
    if (!connection_.is_in_transaction()) return;
    try {
        rollback_.run();
    } catch (const sqlite::Error&) {
        // ROLLBACK reports what went wrong on the disk, and has ended the transaction all the same.
    }
}

void BatchRunner::answer_all() {
    // Waking 64 threads takes longer than their fsync. So the writer wakes one and goes on, and
    // every thread that wakes wakes two more.
    for (std::size_t i = 1; i < ran_.size(); ++i) ran_[(i - 1) / 2]->wakes(*ran_[i]);
    for (const auto& write : ran_) count(write->outcome);
    if (!ran_.empty()) ran_.front()->answer();
    ran_.clear();
}

void BatchRunner::count(const Outcome& outcome) {
    if (outcome.refusal)
        counters_.refusals.add();
    else if (!outcome.failure)
        counters_.writes.add();
}

}  // namespace synapsex::db
