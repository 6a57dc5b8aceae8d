#pragma once

// What `backup` and `restore` have in common: which databases there are, a folder to work in, and
// what an operator sees meanwhile.

#include <boost/json/array.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "controlplane/app/backup_archive.hpp"
#include "controlplane/app/config.hpp"
#include "shared/base/descriptor.hpp"

namespace synapsex::app {

inline constexpr std::string_view kSqlite = "sqlite";
inline constexpr std::string_view kPostgres = "postgresql";

// A database that the configuration names.
struct DatabasePlace {
    std::string name;                    // "main", or the service that has it for itself
    std::vector<std::string> services;   // that keep their tables in it
    std::filesystem::path file{};        // of SQLite, resolved
    std::string url{};                   // of the PostgreSQL server itself, not of a pooler

    bool is_file() const { return url.empty(); }
    std::string_view engine() const { return is_file() ? kSqlite : kPostgres; }
};

// Each once. Throws StartRefused for a URL that is none.
std::vector<DatabasePlace> list_places(const Config& config);
// The place as a person may read it: a file's path, or a URL without its password.
std::string shown(const DatabasePlace& place);

// Whether what was backed up may go there: the same engine, the same services. A service that the
// backup does not know came with a later release: it begins with nothing, in whatever database.
bool fits(
    const BackedUpDatabase& database, const DatabasePlace& place, const BackupManifest& manifest
);

// All that this release knows, of every service and of the platform.
std::vector<AppliedMigration> known_migrations();

// Refuses a passphrase that lies where the backup or the keys lie. Throws StartRefused.
std::string load_passphrase(
    const std::filesystem::path& passphrase, const std::filesystem::path& backup,
    const std::filesystem::path& data_dir
);

// The ids of all keys of a data directory: root key, authority (its pin), those that sign. Throws
// StartRefused.
std::vector<BackedUpKey> list_key_ids(const std::filesystem::path& data_dir);
// [{"name":"root","keyId":"…"}], as --json prints them.
boost::json::array json_of(const std::vector<BackedUpKey>& keys);

// Of PostgreSQL: the rows of a statement, fields apart by tabs. Throws StartRefused.
std::vector<std::vector<std::string>> ask_psql(const std::string& url, const std::string& sql);

// A folder of our own, mode 0700, empty at first; what it holds goes with it, or with the next one
// of its name after a crash. Throws StartRefused, also while another process is at work in it.
class WorkFolder {
 public:
    // `where_else`: what a sentence about it may end with.
    explicit WorkFolder(
        std::filesystem::path path,
        std::string where_else = ", or choose another folder with --work-dir"
    );
    ~WorkFolder();
    WorkFolder(const WorkFolder&) = delete;
    WorkFolder& operator=(const WorkFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    // Throws StartRefused unless so much fits and the disk is not low after it.
    void require_room(std::uint64_t bytes) const;

 private:
    void clear();

    const std::filesystem::path path_;
    const std::string where_else_;
    Descriptor lock_;
};

// One line on a terminal, rewritten a few times a second; nothing where standard error is none.
class ProgressLine {
 public:
    ProgressLine();
    ~ProgressLine() { clear(); }
    void clear();
    void show(std::string_view what, std::uint64_t done, std::uint64_t all = 0);

 private:
    const bool is_terminal_;
    std::chrono::steady_clock::time_point shown_at_{};
};

// Bytes to an open file, for its owner alone. Throws StartRefused.
class NewFile {
 public:
    explicit NewFile(std::filesystem::path path);
    void write(std::string_view bytes);
    void finish();

 private:
    [[noreturn]] void fail() const;

    const std::filesystem::path path_;
    Descriptor file_;
};

}  // namespace synapsex::app
