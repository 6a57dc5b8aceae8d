#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>

#include "controlplane/platform/db/dialect.hpp"
#include "controlplane/platform/db/sqlite/file_lock.hpp"
#include "controlplane/platform/db/sqlite/reader_pool.hpp"
#include "controlplane/platform/db/sqlite/sqlite.hpp"
#include "controlplane/platform/db/sqlite/writer.hpp"
#include "shared/base/log.hpp"

namespace synapsex::db {

namespace {

// Makes the file before SQLite does, for its owner alone; SQLite gives the log files beside it the
// same mode. Only before the first connection: closing a descriptor drops the process's POSIX
// locks.
void make_private_file(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const bool is_private = descriptor >= 0 && ::fchmod(descriptor, 0600) == 0;
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (!is_private)
        throw DatabaseError(
            "cannot open " + path.string() + ": " + std::generic_category().message(error)
        );
}

constexpr std::string_view kAppendOnly = R"sql(
CREATE TRIGGER @_is_not_updated BEFORE UPDATE ON @
BEGIN SELECT RAISE(ABORT, '@ is append-only'); END;
CREATE TRIGGER @_is_not_deleted BEFORE DELETE ON @
BEGIN SELECT RAISE(ABORT, '@ is append-only'); END)sql";

// STRICT tables know INTEGER, REAL, TEXT and BLOB; a boolean is 0 or 1.
constexpr std::array<Spelling, 8> kDialect{{
    {"id", "TEXT"},
    {"counter", "INTEGER PRIMARY KEY"},
    {"int", "INTEGER"},
    {"bool", "INTEGER"},
    {"real", "REAL"},
    {"bytes", "BLOB"},
    {"strict", "STRICT"},
    {"append_only", kAppendOnly},
}};

class SqliteSchemaChange final : public SchemaChange {
 public:
    SqliteSchemaChange(sqlite::Connection& connection, SqliteSession& session)
        : connection_(connection), session_(session) {}

    void run_script(std::string_view text) override { connection_.execute(spell(text, kDialect)); }
    Session& session() override { return session_; }

 private:
    sqlite::Connection& connection_;
    SqliteSession& session_;
};

// SQLite rebuilds a table to change it, which enforced foreign keys would make delete or refuse
// rows; the pragma works outside of transactions only.
class WithoutForeignKeys {
 public:
    explicit WithoutForeignKeys(sqlite::Connection& connection) : connection_(connection) {
        connection_.pragma("foreign_keys = 0");
    }
    // Ends the program rather than let it run on without them.
    ~WithoutForeignKeys() { connection_.pragma("foreign_keys = 1"); }
    WithoutForeignKeys(const WithoutForeignKeys&) = delete;
    WithoutForeignKeys& operator=(const WithoutForeignKeys&) = delete;

 private:
    sqlite::Connection& connection_;
};

// One call that is under way.
class Visit {
 public:
    explicit Visit(std::atomic<int>& callers) : callers_(callers) { ++callers_; }
    ~Visit() { --callers_; }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

 private:
    std::atomic<int>& callers_;
};

class SqliteDatabase final : public Database {
 public:
    SqliteDatabase(const SqliteOptions& options, const Clock& clock, Metrics& metrics)
        : options_(options),
          clock_(clock),
          lock_(options_.path),
          writer_((make_private_file(options_.path), options_), clock, metrics),
          readers_(options_, clock) {}

    // Those who wait are answered, and are gone when this returns; nobody may come any more.
    ~SqliteDatabase() override {
        writer_.finish();
        while (callers_.load() != 0) std::this_thread::yield();
    }

    void prepare_all(std::span<const Query* const> queries) override {
        writer_.with_connection([&](sqlite::Connection&, SqliteSession& session) {
            for (const auto* query : queries) session.prepare(*query);
        });
    }

    bool is_healthy() override {
        static constexpr Query kProbe{"database.probe", "SELECT count(*) FROM sqlite_schema"};
        if (!writer_.is_responsive()) return false;
        try {
            const auto probe = [](Session& session) { return !session.query(kProbe).empty(); };
            const auto limit = Deadline::after(clock_, std::chrono::seconds{1});
            const auto outcome = readers_.read(limit, probe);
            return !outcome.refusal && !outcome.failure;
        } catch (const std::exception& error) {
            log_error("database unhealthy", {{"database", options_.name}, {"why", error.what()}});
            return false;
        }
    }

    void change_schema(const std::function<void(SchemaChange&)>& change) override {
        refuse_nesting();
        writer_.with_connection([&](sqlite::Connection& connection, SqliteSession& session) {
            const InsideTransaction inside;
            try {
                change_schema_of(connection, session, change);
            } catch (const sqlite::Error& error) {
                throw DatabaseError(error.what());
            }
        });
    }

 private:
    std::optional<Problem> read_erased(const Caller& caller, const Body& body) override {
        const Visit visit{callers_};
        return settle(readers_.read(caller.call.deadline, body));
    }
    std::optional<Problem> write_erased(const Caller& caller, const Body& body) override {
        const Visit visit{callers_};
        return settle(writer_.write(caller.call.deadline, body));
    }

    std::optional<Problem> settle(Outcome outcome) const {
        return db::settle(std::move(outcome), options_.name, options_.slow_time);
    }

    static void change_schema_of(
        sqlite::Connection& connection,
        SqliteSession& session,
        const std::function<void(SchemaChange&)>& change
    ) {
        const WithoutForeignKeys without_foreign_keys{connection};
        sqlite::Transaction transaction{connection};
        SqliteSchemaChange schema{connection, session};
        change(schema);
        const auto broken = connection.pragma("foreign_key_check");
        if (!broken.empty())
            throw DatabaseError("rows of table " + broken + " refer to rows that are not there");
        transaction.commit();
    }

    const SqliteOptions options_;
    const Clock& clock_;
    FileLock lock_;
    Writer writer_;
    std::atomic<int> callers_{0};
    ReaderPool readers_;  // closed before the writer, which then folds the WAL into the file
};

}  // namespace

std::filesystem::path resolve_path(const std::filesystem::path& path) {
    namespace fs = std::filesystem;
    // weakly_canonical does not follow a link whose target is missing, but the file will be made
    // there.
    constexpr int kLinksMax = 40;
    std::error_code error;
    std::error_code ignored;
    auto resolved = fs::weakly_canonical(path, error);
    for (int links = 0; !error && fs::is_symlink(resolved, ignored); ++links) {
        if (links == kLinksMax)
            error = std::make_error_code(std::errc::too_many_symbolic_link_levels);
        else
            resolved = resolved.parent_path() / fs::read_symlink(resolved, error);
        if (!error) resolved = fs::weakly_canonical(resolved, error);
    }
    if (error) throw DatabaseError("cannot open " + path.string() + ": " + error.message());
    return resolved;
}

std::unique_ptr<Database> open_sqlite(
    const SqliteOptions& options, const Clock& clock, Metrics& metrics
) {
    try {
        return std::make_unique<SqliteDatabase>(options, clock, metrics);
    } catch (const sqlite::Error& error) {
        throw DatabaseError(options.path.string() + ": " + error.what());
    }
}

}  // namespace synapsex::db
