#include "shared/crypto/key_copies.hpp"

#include <algorithm>

#include "shared/crypto/key_file.hpp"
#include "shared/crypto/key_store.hpp"

namespace synapsex::crypto {

namespace {

// What FileKeyStore calls its files, and the authority's (authority.hpp).
bool is_key(const std::filesystem::path& path) {
    if (path.has_parent_path()) return false;
    return path == "root.key" || path == "authority.key" ||
           (path.extension() == ".pem" && is_key_name(path.stem().string()));
}

}  // namespace

Result<std::vector<KeyCopy>> copy_keys(const std::filesystem::path& directory) {
    std::vector<KeyCopy> copies;
    std::error_code error;
    std::filesystem::directory_iterator entries{directory, error};
    for (; !error && entries != std::filesystem::directory_iterator{}; entries.increment(error)) {
        const auto name = entries->path().filename();
        if (!is_key(name)) continue;
        SYNAPSEX_TRY(auto content, read_key_file(entries->path()));
        copies.push_back({name.string(), std::move(content)});
    }
    if (error) return key_unreadable(directory, error.message());
    std::ranges::sort(copies, {}, &KeyCopy::file);
    return copies;
}

Result<Done> put_key(const std::filesystem::path& directory, const KeyCopy& copy) {
    if (is_key(copy.file)) return make_key_file(directory / copy.file, copy.content);
    return Problem{
        Kind::internal, "crypto.key_unwritable", "no key is called \"" + copy.file + "\""
    };
}

}  // namespace synapsex::crypto
