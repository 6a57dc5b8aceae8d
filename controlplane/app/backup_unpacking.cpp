#include "controlplane/app/backup_unpacking.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <unistd.h>

#include <boost/json.hpp>

#include "controlplane/app/child_program.hpp"
#include "controlplane/app/commands.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/interruption.hpp"
#include "controlplane/app/start_refused.hpp"
#include "shared/crypto/file_key_store.hpp"
#include "shared/crypto/key_copies.hpp"
#include "shared/sqlite/error.hpp"
#include "shared/sqlite/snapshot.hpp"

namespace synapsex::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kKey = "key/";
constexpr std::string_view kDatabase = "database/";

void unpack_database(
    BackupReader& reader, const BackedUpDatabase& database, const FileOf& file_of,
    ProgressLine& progress
) {
    NewFile file{file_of(database)};
    std::uint64_t done = 0;
    reader.read([&](std::string_view piece) {
        file.write(piece);
        done += piece.size();
        progress.show("unpacking " + database.name, done);
    });
    file.finish();
}

void try_database(const BackedUpDatabase& database, const fs::path& file) {
    if (database.engine == kPostgres) {
        ChildProgram pg_restore{
            {"pg_restore", "-f", "/dev/null", file.string()}, {}, ChildProgram::Pipes::out
        };
        return pg_restore.finish();
    }
    std::string found;
    try {
        found = sqlite::check_integrity(file);
    } catch (const sqlite::Error& error) {
        found = error.what();
    }
    if (found != "ok")
        throw BackupUnreadable(
            "the database " + database.name + " of the backup is damaged: " + found
        );
}

}  // namespace

void unpack(
    BackupReader& reader, const fs::path& folder, const FileOf& file_of, ProgressLine& progress
) {
    const auto& databases = reader.manifest().databases;
    std::size_t unpacked = 0;
    make_data_dir(folder);
    for (auto name = reader.next(); !name.empty(); name = reader.next()) {
        const auto found = std::ranges::find_if(databases, [&](const BackedUpDatabase& database) {
            return name == std::string{kDatabase} + database.name;
        });
        if (found != databases.end()) {
            unpack_database(reader, *found, file_of, progress);
            ++unpacked;
        } else if (name.starts_with(kKey)) {
            const crypto::KeyCopy copy{name.substr(kKey.size()), reader.read()};
            const auto put = crypto::put_key(key_directory(folder), copy);
            if (!put) throw StartRefused(put.error().detail);
        } else if (name == "issuer") {
            save_issuer(folder, reader.read());
        } else {
            throw BackupUnreadable("the backup holds \"" + name + "\", which no backup has");
        }
    }
    if (unpacked != databases.size())
        throw BackupUnreadable("the backup does not hold all of its databases");
}

void try_unpacked(
    const BackupManifest& manifest, const fs::path& folder, const FileOf& file_of
) {
    SystemRandom random;
    const crypto::FileKeyStore keys{key_directory(folder), random};
    if (load_identity(folder, keys).issuer != manifest.issuer)
        throw BackupUnreadable("the issuer of the backup is not the one that it says");
    const auto ids = list_key_ids(folder);
    const auto is_same = [](const BackedUpKey& one, const BackedUpKey& other) {
        return one.name == other.name && one.key_id == other.key_id;
    };
    if (!std::ranges::equal(ids, manifest.keys, is_same))
        throw BackupUnreadable("the keys of the backup are not those that it says");
    for (const auto& database : manifest.databases) {
        Interruption::check();
        try_database(database, file_of(database));
    }
}

int verify_backup(const BackupWish& wish) {
    const Interruption interruption;
    const SystemClock clock;
    const auto started_at = clock.steady_now();
    const auto passphrase = crypto::read_passphrase(wish.passphrase_file);
    if (!passphrase) throw StartRefused(passphrase.error().detail);
    const auto parent = wish.work_dir.empty() ? fs::path{"/var/tmp"} : wish.work_dir;
    const WorkFolder work{parent / ("synapsex-verify-" + std::to_string(::geteuid()))};
    BackupReader reader{wish.verified, *passphrase};
    std::error_code ignored;
    work.require_room(fs::file_size(wish.verified, ignored));
    const auto file_of = [&](const BackedUpDatabase& database) {
        return work.path() / ("database-" + database.name);
    };
    {
        ProgressLine progress;
        unpack(reader, work.path(), file_of, progress);
    }
    const auto& manifest = reader.manifest();
    try_unpacked(manifest, work.path(), file_of);
    const std::chrono::duration<double> took = clock.steady_now() - started_at;
    if (wish.is_json) {
        const boost::json::object all{
            {"file", wish.verified.string()},
            {"version", manifest.version},
            {"createdAt", manifest.created_at},
            {"seconds", took.count()},
            {"databases", manifest.databases.size()},
            {"keys", manifest.keys.size()},
        };
        std::printf("%s\n", boost::json::serialize(all).c_str());
        return 0;
    }
    std::printf(
        "%s is whole: SynapseX %s wrote it at %s; every chunk, every key and every database was "
        "read and tried in %.1f s.\n",
        wish.verified.c_str(), manifest.version.c_str(), manifest.created_at.c_str(), took.count()
    );
    return 0;
}

}  // namespace synapsex::app
