#pragma once

// How a batch of writes becomes one transaction, and what happens to each when that goes wrong. No
// queue and no threads here: a WriteSource brings the writes.

#include <vector>

#include "controlplane/platform/db/sqlite/pending_write.hpp"
#include "controlplane/platform/db/sqlite/session.hpp"
#include "controlplane/platform/db/sqlite/sqlite.hpp"

namespace synapsex::db {

class WriteSource {
 public:
    virtual ~WriteSource() = default;
    // The next write for the open transaction, which holds `taken` already. Null: commit now.
    virtual WritePtr next(std::size_t taken) = 0;
};

class BatchRunner {
 public:
    struct Counters {
        Counter& batches;    // transactions that held one write or more
        Counter& writes;     // closures committed or undone as they asked
        Counter& refusals;   // answered database.busy
        Counter& reruns;     // closures that ran again alone
        Histogram& commits;  // time of COMMIT
        Histogram& waits;    // from the call to the start of its closure
    };

    // All outlive the runner.
    BatchRunner(
        const SqliteOptions& options,
        sqlite::Connection& connection,
        SqliteSession& session,
        const Clock& clock,
        const Counters& counters
    );

    // Runs what the source has, at most batch_max writes for about batch_time, in one transaction,
    // and answers them. Returns how many it took.
    std::size_t run(WriteSource& source);

 private:
    enum class Ending { kept, lost };  // of the shared transaction

    // Claims the write for running; false if nobody waits for it any more or it is too late.
    bool start(PendingWrite& write);
    // Takes and runs; returns the write that lost the transaction, if one did.
    const PendingWrite* run_shared(WriteSource& source);
    Ending run_in_savepoint(PendingWrite& write);
    // Takes and refuses: the transaction could not begin.
    void refuse_all(WriteSource& source, const sqlite::Error& error);
    void run_alone(PendingWrite& write);
    // Runs the closure; true if what it did is to be kept. Why not stands in the outcome.
    bool run_closure(PendingWrite& write);
    // Runs again, alone, every write but the one that lost the transaction.
    void run_each_alone(const PendingWrite* culprit);
    bool try_commit();
    void commit();
    void roll_back();
    void answer_all();
    void count(const Outcome& outcome);

    const SqliteOptions& options_;
    sqlite::Connection& connection_;
    SqliteSession& session_;
    const Clock& clock_;
    const Counters counters_;
    sqlite::Statement begin_;
    sqlite::Statement commit_;
    sqlite::Statement rollback_;
    sqlite::Statement savepoint_;
    sqlite::Statement release_;
    sqlite::Statement undo_;
    Appended appended_;          // by those that are kept
    std::size_t taken_ = 0;      // by the batch that is running
    std::vector<WritePtr> ran_;  // those of them that started, in order
};

}  // namespace synapsex::db
