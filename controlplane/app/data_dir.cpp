#include "controlplane/app/data_dir.hpp"

#include "controlplane/app/services.hpp"

namespace synapsex::app {

namespace {

std::filesystem::path key_path(const std::filesystem::path& data_dir) {
    return data_dir / "keys" / "access-tokens.pem";
}

crypto::Ed25519Key load(const std::filesystem::path& path) {
    auto key = crypto::Ed25519Key::load_pem_file(path);
    if (!key) throw StartRefused(key.error().detail);
    return *std::move(key);
}

}  // namespace

void make_data_dir(const std::filesystem::path& data_dir) {
    namespace fs = std::filesystem;
    std::error_code error;
    for (const auto& directory : {data_dir, data_dir / "keys"}) {
        if (fs::exists(directory, error)) continue;
        fs::create_directories(directory, error);
        if (!error) fs::permissions(directory, fs::perms::owner_all, error);
        if (error)
            throw StartRefused(
                "cannot make " + directory.string() + ": " + error.message() +
                "; choose another with --data-dir"
            );
    }
}

crypto::Ed25519Key load_signing_key(const std::filesystem::path& data_dir) {
    const auto path = key_path(data_dir);
    if (!std::filesystem::exists(path))
        throw StartRefused(
            "no keys in " + data_dir.string() + "; run synapsex-controlplane init first"
        );
    return load(path);
}

crypto::Ed25519Key load_or_make_signing_key(const std::filesystem::path& data_dir, Random& random) {
    const auto path = key_path(data_dir);
    if (std::filesystem::exists(path)) return load(path);
    auto key = crypto::Ed25519Key::generate(random);
    if (const auto saved = key.save_pem_file(path); !saved)
        throw StartRefused(saved.error().detail);
    return key;
}

}  // namespace synapsex::app
