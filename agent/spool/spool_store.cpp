#include "agent/spool/spool_store.hpp"

#include <charconv>

namespace synapsex::agent {

namespace {

// Exclusive: nobody else reads the file, so the WAL's index stays in the heap instead of a shared
// mapping. The cache and the WAL are kept small, the agent's memory is counted in pages. Freed
// pages go back to the file system bit by bit: a long outage must not leave a large file for ever.
constexpr const char* kPrepare = R"sql(
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -128;
    PRAGMA wal_autocheckpoint = 64;
    PRAGMA journal_size_limit = 524288;
    CREATE TABLE IF NOT EXISTS samples (
        slot INTEGER PRIMARY KEY,
        body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS facts (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kInsert = "INSERT OR IGNORE INTO samples (slot, body) VALUES ($1, $2)";
constexpr const char* kOldest = "SELECT slot, body FROM samples ORDER BY slot LIMIT $1";
constexpr const char* kTotal =
    "SELECT count(*), coalesce(sum(length(body)), 0) FROM samples"
    " WHERE slot BETWEEN $1 AND $2";
constexpr const char* kErase = "DELETE FROM samples WHERE slot BETWEEN $1 AND $2";
constexpr const char* kFact = "SELECT value FROM facts WHERE name = $1";
constexpr const char* kSetFact =
    "INSERT INTO facts (name, value) VALUES ($1, $2)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value";

sqlite::Connection& prepare(sqlite::Connection& connection) {
    connection.execute(kPrepare);
    return connection;
}

}  // namespace

Spool::Store::Store(const std::filesystem::path& path)
    : connection_({.path = path.string()}),
      insert_(prepare(connection_).prepare(kInsert, sqlite::Lifetime::cached)),
      set_(connection_.prepare(kSetFact, sqlite::Lifetime::cached)) {}

bool Spool::Store::insert(const EncodedSample& sample) {
    const sqlite::ResetOnExit reset{insert_};
    insert_.bind(1, sample.slot);
    insert_.bind_blob(2, sample.bytes);
    insert_.run();
    return connection_.changes() == 1;
}

std::vector<EncodedSample> Spool::Store::oldest(std::size_t samples_max) {
    auto select = connection_.prepare(kOldest);
    select.bind(1, static_cast<std::int64_t>(samples_max));
    std::vector<EncodedSample> samples;
    while (select.step()) samples.push_back({select.integer(0), std::string{select.blob(1)}});
    return samples;
}

Backlog Spool::Store::total() { return total(INT64_MIN, INT64_MAX); }

Backlog Spool::Store::total(std::int64_t first, std::int64_t last) {
    auto select = connection_.prepare(kTotal);
    select.bind(1, first);
    select.bind(2, last);
    select.step();
    return {
        .samples = static_cast<std::size_t>(select.integer(0)),
        .bytes = static_cast<std::size_t>(select.integer(1)),
    };
}

void Spool::Store::erase(std::int64_t first, std::int64_t last) {
    auto erase = connection_.prepare(kErase);
    erase.bind(1, first);
    erase.bind(2, last);
    erase.run();
    connection_.execute("PRAGMA incremental_vacuum(32)");
}

std::string Spool::Store::text(std::string_view name) {
    auto select = connection_.prepare(kFact);
    select.bind(1, name);
    return select.step() ? std::string{select.text(0)} : std::string{};
}

std::uint64_t Spool::Store::number(std::string_view name) {
    const auto value = text(name);
    std::uint64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

void Spool::Store::set_text(std::string_view name, std::string_view value) {
    const sqlite::ResetOnExit reset{set_};
    set_.bind(1, name);
    set_.bind(2, value);
    set_.run();
}

void Spool::Store::set_number(std::string_view name, std::uint64_t value) {
    set_text(name, std::to_string(value));
}

void Spool::Store::set_number_durably(std::string_view name, std::uint64_t value) {
    // Takes along the samples since the last time: one fsync a heartbeat is all that there is.
    connection_.execute("PRAGMA synchronous = FULL");
    set_number(name, value);
    connection_.execute("PRAGMA synchronous = NORMAL");
}

}  // namespace synapsex::agent
