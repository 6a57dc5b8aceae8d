#pragma once

// What is in a backup's file: a sealed stream (crypto/sealed_stream.hpp) of entries, each a name
// and bytes of any number.
//
//   archive := entry* end          end  := 0 (2 bytes)
//   entry   := size name block* 0  size := of the name (2 bytes), block := size (4 bytes) bytes
//
// Numbers are big endian. The entries: "manifest", "issuer", "key/<file>" for each key, and
// "database/<name>", a SQLite file or what pg_dump --format=custom wrote.

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/describe.hpp"
#include "shared/base/descriptor.hpp"
#include "shared/base/random.hpp"
#include "shared/crypto/sealed_stream.hpp"

namespace synapsex::app {

// The file could not be read to its end; what() is a sentence that names it.
class BackupUnreadable : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

struct BackedUpKey {
    std::string name;  // "root", or of what signs
    std::string key_id;
};
BOOST_DESCRIBE_STRUCT(BackedUpKey, (), (name, key_id))

struct AppliedMigration {
    std::string service;
    std::int64_t number = 0;
    std::string name;
};
BOOST_DESCRIBE_STRUCT(AppliedMigration, (), (service, number, name))

struct BackedUpDatabase {
    std::string name;                   // "main", or the service that has it for itself
    std::string engine;                 // "sqlite", "postgresql"
    std::vector<std::string> services;  // that keep their tables in it
    std::string incarnation;            // of the server; empty where agent_registry is not
    std::vector<AppliedMigration> migrations;
};
BOOST_DESCRIBE_STRUCT(BackedUpDatabase, (), (name, engine, services, incarnation, migrations))

// The first entry, as JSON.
struct BackupManifest {
    std::int64_t format = 1;
    std::string version;     // of the program that wrote it
    std::string created_at;  // before the first database was read
    std::string issuer;
    std::vector<BackedUpKey> keys;
    std::vector<BackedUpDatabase> databases;
};
BOOST_DESCRIBE_STRUCT(
    BackupManifest, (), (format, version, created_at, issuer, keys, databases)
)

// Writes beside the place of the file, under a name with ".part", mode 0600. The file is there,
// whole and synced, once finish() has returned; before that what was there stays.
class BackupWriter {
 public:
    // Throws StartRefused.
    BackupWriter(std::filesystem::path file, std::string_view passphrase, Random& random);
    ~BackupWriter();

    void begin(std::string_view name);
    void write(std::string_view bytes);
    void end();
    void put(std::string_view name, std::string_view content);
    void put(const BackupManifest& manifest);
    void finish();

    std::uint64_t bytes() const { return bytes_; }  // of the file so far

 private:
    void write_number(std::uint64_t number, int size);

    const std::filesystem::path file_;
    const std::filesystem::path part_;
    Descriptor descriptor_;
    std::uint64_t bytes_ = 0;
    bool is_finished_ = false;
    crypto::StreamSealer sealer_;
};

class BackupReader {
 public:
    // Reads the manifest. Throws BackupUnreadable, as all of it does.
    BackupReader(const std::filesystem::path& file, std::string_view passphrase);

    const BackupManifest& manifest() const { return manifest_; }

    using Take = std::function<void(std::string_view)>;
    // The next entry's name; empty after the last, and then the whole file has been checked.
    std::string next();
    // All of the entry's bytes, in pieces.
    void read(const Take& take);
    // The same at once; for those that are small.
    std::string read();

 private:
    template <class Fn>
    auto guarded(const Fn& fn);
    std::uint64_t read_number(int size);
    std::string read_exactly(std::size_t size);

    const std::filesystem::path file_;
    Descriptor descriptor_;
    std::unique_ptr<crypto::StreamOpener> opener_;
    BackupManifest manifest_;
};

}  // namespace synapsex::app
