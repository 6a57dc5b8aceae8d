#pragma once

// Files that are made once and never written over, whole or not at all.

#include <filesystem>
#include <string_view>
#include <system_error>

namespace synapsex {

// Mode 0600. Written aside under a name that no other writer has, synced and linked into place, so
// that nobody ever reads a part of it, also after a power cut. Never over another one:
// std::errc::file_exists, once that one is durable. A writer that is killed leaves
// <path>.new-XXXXXX, which the next to make the same file removes if it is a day older.
std::error_code make_new_file(const std::filesystem::path& path, std::string_view content);

}  // namespace synapsex
