#pragma once

// A backup unpacked to a place where nothing reads it yet, and tried there.

#include <functional>

#include "controlplane/app/backup_archive.hpp"
#include "controlplane/app/backup_parts.hpp"

namespace synapsex::app {

// Where a database of the backup goes.
using FileOf = std::function<std::filesystem::path(const BackedUpDatabase&)>;

// Keys to <folder>/keys, the issuer to <folder>/issuer, databases to `file_of`. Returns once every
// byte of the backup has been checked. Throws BackupUnreadable, StartRefused.
void unpack(
    BackupReader& reader, const std::filesystem::path& folder, const FileOf& file_of,
    ProgressLine& progress
);

// That keys are those of the manifest, that SQLite finds its files whole, and that pg_restore reads
// its dumps to their end. Throws BackupUnreadable, StartRefused.
void try_unpacked(
    const BackupManifest& manifest, const std::filesystem::path& folder, const FileOf& file_of
);

}  // namespace synapsex::app
