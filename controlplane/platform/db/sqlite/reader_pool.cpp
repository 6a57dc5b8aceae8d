#include "controlplane/platform/db/sqlite/reader_pool.hpp"

#include <utility>

namespace synapsex::db {

namespace {

// A reader waits for locks only while a WAL is recovered or cut back.
constexpr std::chrono::milliseconds kLockWait{1'000};
// About 50 us between two looks at the clock.
constexpr int kStepsBetweenLooks = 4'000;

sqlite::OpenOptions open_options(const SqliteOptions& options) {
    return {
        .path = options.path.string(),
        .access = sqlite::Access::query_only,
        .busy_timeout = kLockWait,
        .vfs = options.vfs,
    };
}

}  // namespace

class Reader {
 public:
    Reader(const SqliteOptions& options, const Clock& clock)
        : clock_(clock), connection_(open_options(options)), session_(connection_, clock) {
        connection_.on_progress(kStepsBetweenLooks, [this] { return limit_.is_expired(clock_); });
    }

    // SQLite opens the WAL with the first read.
    void open_files() {
        connection_.execute("SELECT count(*) FROM sqlite_schema");
    }

    Outcome run(Deadline limit, const Body& body) {
        Outcome outcome;
        session_.take_slowest();
        // The statements below must not fall to the limit themselves.
        connection_.execute("BEGIN");
        const auto started = clock_.steady_now();
        limit_ = limit;
        try {
            body(session_);
        } catch (...) {
            outcome.failure = std::current_exception();
        }
        limit_ = Deadline::never();
        const auto ended = clock_.steady_now();
        outcome.took = ended - started;
        outcome.slowest_query = session_.take_slowest();
        if (ended >= limit.instant()) {
            // Whatever the closure made of the interrupt.
            outcome.failure = nullptr;
            outcome.refusal = busy("The read took too long.");
        }
        if (connection_.is_in_transaction()) connection_.execute("ROLLBACK");
        return outcome;
    }

 private:
    const Clock& clock_;
    Deadline limit_ = Deadline::never();
    sqlite::Connection connection_;
    SqliteSession session_;
};

ReaderPool::ReaderPool(const SqliteOptions& options, const Clock& clock)
    : options_(options), clock_(clock) {
    for (; opened_ < options_.readers_max; ++opened_) {
        idle_.push_back(std::make_unique<Reader>(options_, clock_));
        idle_.back()->open_files();
    }
}

ReaderPool::~ReaderPool() = default;

Outcome ReaderPool::read(Deadline deadline, const Body& body) {
    if (deadline.is_expired(clock_))
        return Outcome{.refusal = busy("The request's time was over.")};
    const auto limit = deadline.earlier(Deadline::after(clock_, options_.read_time_max));
    try {
        auto reader = acquire(limit);
        if (!reader) return Outcome{.refusal = busy("Too many reads are running.")};
        return run(std::move(reader), limit, body);
    } catch (const sqlite::Error& error) {
        throw DatabaseError(options_.path.string() + ": " + error.what());
    }
}

Outcome ReaderPool::run(std::unique_ptr<Reader> reader, Deadline limit, const Body& body) {
    try {
        auto outcome = reader->run(limit, body);
        give_back(std::move(reader));
        return outcome;
    } catch (...) {
        // A connection that cannot begin or roll back is not given to the next.
        reader.reset();
        give_back(nullptr);
        throw;
    }
}

std::unique_ptr<Reader> ReaderPool::acquire(Deadline deadline) {
    std::unique_lock lock{mutex_};
    while (idle_.empty() && opened_ >= options_.readers_max) {
        if (deadline.is_expired(clock_)) return nullptr;
        has_idle_.wait_for(lock, deadline.remaining(clock_));
    }
    if (!idle_.empty()) {
        auto reader = std::move(idle_.back());
        idle_.pop_back();
        return reader;
    }
    ++opened_;
    lock.unlock();
    try {
        return std::make_unique<Reader>(options_, clock_);
    } catch (...) {
        give_back(nullptr);
        throw;
    }
}

void ReaderPool::give_back(std::unique_ptr<Reader> reader) {
    {
        const std::lock_guard lock{mutex_};
        if (reader)
            idle_.push_back(std::move(reader));
        else
            --opened_;
    }
    has_idle_.notify_one();
}

}  // namespace synapsex::db
