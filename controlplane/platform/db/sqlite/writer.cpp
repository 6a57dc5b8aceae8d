#include "controlplane/platform/db/sqlite/writer.hpp"

#include <algorithm>

#include "shared/base/log.hpp"

namespace synapsex::db {

namespace {

// Only programs outside the product (a shell, a backup) can hold the lock: one process has the
// file.
constexpr std::chrono::milliseconds kForeignLockWait{1'000};
// A batch stays open until as many have come as the last one answered and left behind, or until
// nobody has come for this long: threads that write again and again then meet in one commit, not in
// two that take turns. A fraction of an fsync, and lost only when a crowd has gone away.
constexpr std::chrono::microseconds kCrowdWait{50};
constexpr int kCrowdLooksMax = 1'000;
// The WAL is cut back to this after a long reader has made it grow.
constexpr std::string_view kWalBytesMax = "67108864";

sqlite::OpenOptions open_options(const SqliteOptions& options) {
    return {
        .path = options.path.string(),
        .access = sqlite::Access::read_write,
        .busy_timeout = kForeignLockWait,
        .vfs = options.vfs,
    };
}

BatchRunner::Counters make_counters(Metrics& metrics, const std::string& name) {
    const Labels labels{{"database", name}};
    return {
        .batches = metrics.counter(
            "synapsex_database_commits_total", "Transactions committed by the writer.", labels
        ),
        .writes = metrics.counter(
            "synapsex_database_writes_total", "Writes answered as they asked.", labels
        ),
        .refusals = metrics.counter(
            "synapsex_database_refusals_total", "Writes answered database.busy.", labels
        ),
        .reruns = metrics.counter(
            "synapsex_database_reruns_total", "Writes run again after a lost transaction.", labels
        ),
        .commits = metrics.histogram(
            "synapsex_database_commit_seconds", "Time of COMMIT, fsync included.", labels
        ),
        .waits = metrics.histogram(
            "synapsex_database_wait_seconds",
            "From a write's call to the start of its closure.",
            labels
        ),
    };
}

void configure(sqlite::Connection& connection, const SqliteOptions& options) {
    if (connection.pragma("journal_mode = WAL") != "wal")
        throw DatabaseError(options.path.string() + " cannot use a write-ahead log");
    connection.pragma("synchronous = FULL");
    // Debian's SQLite would fill each page that becomes free with zeros: the log and the file are
    // written as often for what goes as for what comes. What a secret is in here is sealed or
    // hashed; the rest may stay readable in the file until the page is used again.
    connection.pragma("secure_delete = FAST");
    connection.pragma("journal_size_limit = " + std::string{kWalBytesMax});
    if (options.pages_max > 0)
        connection.pragma("max_page_count = " + std::to_string(options.pages_max));
}

}  // namespace

Writer::Writer(const SqliteOptions& options, const Clock& clock, Metrics& metrics)
    : options_(options),
      clock_(clock),
      connection_(open_options(options)),
      session_(connection_, clock),
      counters_(make_counters(metrics, options.name)),
      runner_(options_, connection_, session_, clock, counters_),
      queued_(std::make_shared<std::atomic<std::size_t>>(0)) {
    configure(connection_, options);
    metrics.gauge(
        "synapsex_database_queued_writes",
        "Writes that wait for the writer.",
        [queued = queued_] { return static_cast<double>(queued->load()); },
        {{"database", options.name}}
    );
    thread_ = std::thread{[this] { run(); }};
}

Writer::~Writer() {
    finish();
}

void Writer::finish() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        is_stopping_ = true;
    }
    has_work_.notify_one();
    thread_.join();
}

Outcome Writer::write(Deadline deadline, const Body& body) {
    const auto now = clock_.steady_now();
    const auto refuse = [&](const char* detail) {
        counters_.refusals.add();
        return Outcome{.refusal = busy(detail)};
    };
    if (deadline.instant() <= now) return refuse("The request's time was over.");
    const auto write = std::make_shared<PendingWrite>(body, deadline, now);
    if (!push(write)) return refuse("Too many writes are waiting.");
    if (!write->wait(clock_)) return refuse("The database could not begin the work in time.");
    return std::move(write->outcome);
}

bool Writer::push(const WritePtr& write) {
    const std::lock_guard lock{mutex_};
    if (is_stopping_ || queue_.size() >= options_.queue_max) return false;
    queue_.push_back(write);
    queued_->store(queue_.size(), std::memory_order_relaxed);
    if (queue_.size() == 1) has_work_.notify_one();
    return true;
}

bool Writer::await_work() {
    std::unique_lock lock{mutex_};
    has_work_.wait(lock, [&] { return !queue_.empty() || is_stopping_; });
    return !queue_.empty();
}

void Writer::run() {
    while (await_work()) {
        const std::lock_guard lock{connection_mutex_};
        batch_started_.store(clock_.steady_now().time_since_epoch().count());
        const auto taken = runner_.run(*this);
        crowd_ = taken + queued_->load(std::memory_order_relaxed);
        batch_started_.store(0);
    }
}

WritePtr Writer::next(std::size_t taken) {
    if (queued_->load(std::memory_order_relaxed) == 0 && !await_crowd(taken)) return nullptr;
    const std::lock_guard lock{mutex_};
    if (queue_.empty()) return nullptr;
    auto write = std::move(queue_.front());
    queue_.pop_front();
    queued_->store(queue_.size(), std::memory_order_relaxed);
    return write;
}

bool Writer::await_crowd(std::size_t taken) {
    if (taken == 0 || taken >= crowd_) return false;
    // The looks are limited too: a test's clock may stand still.
    const auto until = clock_.steady_now() + kCrowdWait;
    for (int looks = 0; looks < kCrowdLooksMax && clock_.steady_now() < until; ++looks) {
        if (queued_->load(std::memory_order_relaxed) > 0) return true;
        std::this_thread::yield();
    }
    return false;
}

bool Writer::is_responsive() const {
    const auto started = batch_started_.load();
    if (started == 0) return true;
    const auto running = clock_.steady_now() - SteadyTime{SteadyTime::duration{started}};
    return running <= 2 * options_.write_time_max;
}

}  // namespace synapsex::db
