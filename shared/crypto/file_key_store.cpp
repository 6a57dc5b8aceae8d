#include "shared/crypto/file_key_store.hpp"

#include <algorithm>
#include <stdexcept>

#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/key_file.hpp"

namespace synapsex::crypto {

namespace {

constexpr std::string_view kExtension = ".pem";
constexpr std::size_t kNameSizeMax = 63;

// Made now, or by another program a moment ago: either way what counts is the file.
template <class Get>
auto after_making(const Result<Done>& made, Get get) -> decltype(get()) {
    if (!made && made.error().code != kKeyExists) return made.error();
    return get();
}

}  // namespace

bool is_key_name(std::string_view text) {
    const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto is_good = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; };
    return !text.empty() && text.size() <= kNameSizeMax && is_letter(text.front()) &&
           std::ranges::all_of(text, is_good);
}

std::filesystem::path FileKeyStore::path_of(std::string_view name) const {
    if (!is_key_name(name)) throw std::invalid_argument("no name of a key: " + std::string{name});
    return directory_ / std::string{name}.append(kExtension);
}

Result<SigningKeys> FileKeyStore::get(std::string_view name) const {
    SYNAPSEX_TRY(auto key, Ed25519Key::load_pem_file(path_of(name)));
    return SigningKeys::of(std::make_shared<const Ed25519Key>(std::move(key)));
}

Result<SigningKeys> FileKeyStore::get_or_make(std::string_view name) {
    auto found = get(name);
    if (found || found.error().code != kKeyMissing) return found;
    const auto made = Ed25519Key::generate(random_).save_pem_file(path_of(name));
    return after_making(made, [&] { return get(name); });
}

Result<std::vector<NamedKeys>> FileKeyStore::list() const {
    std::vector<NamedKeys> all;
    std::error_code error;
    std::filesystem::directory_iterator entries{directory_, error};
    for (; !error && entries != std::filesystem::directory_iterator{}; entries.increment(error)) {
        const auto& path = entries->path();
        const auto name = path.stem().string();
        if (path.extension() != kExtension || !is_key_name(name)) continue;
        SYNAPSEX_TRY(auto keys, get(name));
        all.push_back({name, std::move(keys.published)});
    }
    if (error) return key_unreadable(directory_, error.message());
    std::ranges::sort(all, {}, &NamedKeys::name);
    return all;
}

Result<RootKey> FileKeyStore::get_root_key() const {
    SYNAPSEX_TRY(auto bytes, read_key_file(root_path()));
    if (bytes.size() != RootKey::kBytes)
        return key_unreadable(
            root_path(), "it has " + std::to_string(bytes.size()) + " bytes, and a root key has " +
                             std::to_string(RootKey::kBytes) + "; restore it"
        );
    return RootKey{std::move(bytes)};
}

Result<RootKey> FileKeyStore::get_or_make_root_key() {
    auto found = get_root_key();
    if (found || found.error().code != kKeyMissing) return found;
    const auto made = make_key_file(root_path(), RootKey::generate(random_).bytes());
    return after_making(made, [&] { return get_root_key(); });
}

}  // namespace synapsex::crypto
