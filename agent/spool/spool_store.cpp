#include "agent/spool/spool_store.hpp"

#include <charconv>

namespace synapsex::agent {

namespace {

// Exclusive: nobody else reads the file, so the WAL's index stays in the heap instead of a shared
// mapping. The cache and the WAL are kept small, the agent's memory is counted in pages. Freed
// pages go back to the file system bit by bit: a long outage must not leave a large file for ever.
constexpr const char* kPrepare = R"sql(
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

constexpr std::string_view kIncremental = "2";
constexpr const char* kInsert = "INSERT OR IGNORE INTO samples (slot, body) VALUES ($1, $2)";
constexpr const char* kOldest = "SELECT slot, body FROM samples ORDER BY slot LIMIT $1";
constexpr const char* kTotal = "SELECT count(*), coalesce(sum(length(body)), 0) FROM samples";
constexpr const char* kErase = "DELETE FROM samples WHERE slot = $1 RETURNING length(body)";
constexpr const char* kFact = "SELECT value FROM facts WHERE name = $1";
constexpr const char* kSetFact =
    "INSERT INTO facts (name, value) VALUES ($1, $2)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value";

sqlite::Connection& prepare(sqlite::Connection& connection) {
    connection.execute("PRAGMA locking_mode = EXCLUSIVE");
    // Setting it writes even where it is set.
    if (connection.pragma("auto_vacuum") != kIncremental)
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL");
    connection.execute(kPrepare);
    return connection;
}

}  // namespace

SpoolFile::Store::Store(const std::filesystem::path& path, const std::string& vfs)
    : connection_({.path = path.string(), .vfs = vfs}),
      insert_(prepare(connection_).prepare(kInsert, sqlite::Lifetime::cached)),
      set_(connection_.prepare(kSetFact, sqlite::Lifetime::cached)) {}

Backlog SpoolFile::Store::insert(
    const std::vector<EncodedSample>& samples, Durability durability
) {
    set_durability(durability);
    Backlog added;
    sqlite::Transaction transaction{connection_};
    for (const auto& sample : samples) {
        const sqlite::ResetOnExit reset{insert_};
        insert_.bind(1, sample.slot);
        insert_.bind_blob(2, sample.bytes);
        insert_.run();
        if (connection_.changes() == 0) continue;
        ++added.samples;
        added.bytes += sample.bytes.size();
    }
    transaction.commit();
    return added;
}

std::vector<EncodedSample> SpoolFile::Store::oldest(std::size_t samples_max) {
    auto select = connection_.prepare(kOldest);
    select.bind(1, static_cast<std::int64_t>(samples_max));
    std::vector<EncodedSample> samples;
    while (select.step()) samples.push_back({select.integer(0), std::string{select.blob(1)}});
    return samples;
}

Backlog SpoolFile::Store::total() {
    auto select = connection_.prepare(kTotal);
    select.step();
    return {
        .samples = static_cast<std::size_t>(select.integer(0)),
        .bytes = static_cast<std::size_t>(select.integer(1)),
    };
}

Backlog SpoolFile::Store::erase(const std::vector<std::int64_t>& slots) {
    set_durability(Durability::cached);
    Backlog gone;
    sqlite::Transaction transaction{connection_};
    auto erase = connection_.prepare(kErase);
    for (const auto slot : slots) {
        const sqlite::ResetOnExit reset{erase};
        erase.bind(1, slot);
        while (erase.step()) {
            ++gone.samples;
            gone.bytes += static_cast<std::size_t>(erase.integer(0));
        }
    }
    transaction.commit();
    return gone;
}

void SpoolFile::Store::shrink() { connection_.execute("PRAGMA incremental_vacuum(32)"); }

std::string SpoolFile::Store::text(std::string_view name) {
    auto select = connection_.prepare(kFact);
    select.bind(1, name);
    return select.step() ? std::string{select.text(0)} : std::string{};
}

std::uint64_t SpoolFile::Store::number(std::string_view name) {
    const auto value = text(name);
    std::uint64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

void SpoolFile::Store::set_text(std::string_view name, std::string_view value) {
    const sqlite::ResetOnExit reset{set_};
    set_.bind(1, name);
    set_.bind(2, value);
    set_.run();
}

void SpoolFile::Store::set_number(
    std::string_view name, std::uint64_t value, Durability durability
) {
    set_durability(durability);
    set_text(name, std::to_string(value));
}

void SpoolFile::Store::set_durability(Durability durability) {
    // What was written before goes along: the log is synced as a whole.
    connection_.execute(durability == Durability::synced ? "PRAGMA synchronous = FULL"
                                                         : "PRAGMA synchronous = NORMAL");
}

}  // namespace synapsex::agent
