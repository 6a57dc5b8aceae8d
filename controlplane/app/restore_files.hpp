#pragma once

// The files that a restore changes. What comes is staged beside the place where it is to be, and
// what was there is set aside beside it, so each change is one rename on one disk, also where keys/
// or a database's folder is a link or a mount.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace synapsex::app {

// Also where a link leads nowhere.
bool is_there(const std::filesystem::path& path);

// The file of a SQLite database and what SQLite keeps beside it, the file last: a database without
// its log is older, a log beside another database is poison.
std::vector<std::filesystem::path> with_logs(const std::filesystem::path& database);
bool is_log(std::string_view path);

// The files of a key directory, but for what restores left there.
std::vector<std::filesystem::path> list_key_files(const std::filesystem::path& keys);

std::filesystem::path staged_of(const std::filesystem::path& file);
void remove_staged_in(const std::filesystem::path& folder);

// "controlplane.db.<name>"; of a log "controlplane.db.<name>-wal", as SQLite looks for it.
std::filesystem::path aside_of(const std::filesystem::path& file, const std::string& name);
// What is aside already stays: it was there before what is there now. Throws StartRefused.
void set_aside(const std::filesystem::path& file, const std::string& name);

// All of these throw StartRefused.

// That a file may be renamed in its folder, over it and away from it, whether it is there or not.
void require_movable(const std::filesystem::path& file);
void move(const std::filesystem::path& from, const std::filesystem::path& to);
void copy_to_disk(const std::filesystem::path& from, const std::filesystem::path& to);
// To the disk: a file's content, or the names in a folder.
void sync(const std::filesystem::path& path);

}  // namespace synapsex::app
