#pragma once

// A few connections that only read. A read runs on its caller's thread, in one snapshot.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "controlplane/platform/db/outcome.hpp"
#include "controlplane/platform/db/sqlite/session.hpp"
#include "controlplane/platform/db/sqlite/sqlite.hpp"

namespace synapsex::db {

class Reader;

class ReaderPool {
 public:
    // Both outlive the pool. The file exists and is in WAL mode. Opens all connections, so that the
    // descriptors that connections of clients leave are enough later on too.
    ReaderPool(const SqliteOptions& options, const Clock& clock);
    ~ReaderPool();

    // Runs the body on a free connection, and stops it at the deadline or after read_time_max,
    // whichever is earlier. What the body returns does not matter: there is nothing to undo.
    Outcome read(Deadline deadline, const Body& body);

 private:
    // Null if none got free in time.
    std::unique_ptr<Reader> acquire(Deadline deadline);
    // Null: the reader that was lent is no more; another is opened when it is needed.
    void give_back(std::unique_ptr<Reader> reader);
    Outcome run(std::unique_ptr<Reader> reader, Deadline limit, const Body& body);

    const SqliteOptions& options_;
    const Clock& clock_;
    std::mutex mutex_;
    std::condition_variable has_idle_;
    std::vector<std::unique_ptr<Reader>> idle_;
    std::size_t opened_ = 0;
};

}  // namespace synapsex::db
