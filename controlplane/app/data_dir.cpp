#include "controlplane/app/data_dir.hpp"

#include <fstream>

#include "controlplane/app/services.hpp"

namespace synapsex::app {

namespace {

std::filesystem::path key_path(const std::filesystem::path& data_dir) {
    return data_dir / "keys" / "access-tokens.pem";
}

std::filesystem::path issuer_path(const std::filesystem::path& data_dir) {
    return data_dir / "issuer";
}

std::string load_issuer(const std::filesystem::path& path) {
    std::string issuer;
    if (!std::getline(std::ifstream{path} >> std::ws, issuer) || issuer.empty())
        throw StartRefused("cannot read " + path.string());
    return issuer;
}

// Whole or not at all.
void save_issuer(const std::filesystem::path& path, const std::string& issuer) {
    auto fresh = path;
    fresh += ".new";
    std::ofstream file{fresh};
    file << issuer << '\n' << std::flush;
    std::error_code error;
    if (file) std::filesystem::rename(fresh, path, error);
    if (!file || error) throw StartRefused("cannot write " + path.string());
}

crypto::Ed25519Key load_key(const std::filesystem::path& path) {
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

Identity load_identity(const std::filesystem::path& data_dir) {
    const auto path = key_path(data_dir);
    if (!std::filesystem::exists(path) || !std::filesystem::exists(issuer_path(data_dir)))
        throw StartRefused(
            "no keys or no issuer in " + data_dir.string() +
            "; run synapsex-controlplane init first"
        );
    return {load_issuer(issuer_path(data_dir)), load_key(path)};
}

Identity load_or_make_identity(
    const std::filesystem::path& data_dir, const std::string& public_url, Random& random
) {
    if (!std::filesystem::exists(issuer_path(data_dir)))
        save_issuer(issuer_path(data_dir), public_url);
    const auto path = key_path(data_dir);
    if (!std::filesystem::exists(path)) {
        const auto saved = crypto::Ed25519Key::generate(random).save_pem_file(path);
        if (!saved) throw StartRefused(saved.error().detail);
    }
    return load_identity(data_dir);
}

}  // namespace synapsex::app
