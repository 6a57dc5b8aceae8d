#pragma once

// Files that hold a secret. They are ours alone, or they are not read: whoever may read a key has
// it, and whoever may put one there decides which one we take.

#include <filesystem>
#include <string>
#include <string_view>

#include "shared/base/result.hpp"

namespace synapsex::crypto {

inline constexpr std::string_view kKeyMissing = "crypto.key_missing";
inline constexpr std::string_view kKeyExists = "crypto.key_exists";

// What is wrong with this file, for a person to mend: crypto.key_unreadable.
Problem key_unreadable(const std::filesystem::path& path, const std::string& why);

inline constexpr std::size_t kKeyBytesMax = 4096;

// All of a file of at most `bytes_max`. Refuses with crypto.key_missing; with
// crypto.key_unreadable: a symbolic link, no regular file, another user's, one that others than its
// owner may touch, a larger one; with crypto.key_unavailable: the machine cannot read it now (an
// I/O error, too many open files), which may pass. Only the path's last name may not be a link.
Result<std::string> read_key_file(
    const std::filesystem::path& path, std::size_t bytes_max = kKeyBytesMax
);

// As make_new_file does. Never over another one: crypto.key_exists. Otherwise
// crypto.key_unwritable.
Result<Done> make_key_file(const std::filesystem::path& path, std::string_view content);

// The one operation that writes over a key: whoever reads sees the old content or the new one, also
// after a power cut. crypto.key_unwritable.
Result<Done> replace_key_file(const std::filesystem::path& path, std::string_view content);

}  // namespace synapsex::crypto
