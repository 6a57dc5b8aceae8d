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
    const auto issuer = issuer_path(data_dir);
    const auto key = key_path(data_dir);
    return {
        std::filesystem::exists(issuer) ? load_issuer(issuer) : public_url,
        std::filesystem::exists(key) ? load_key(key) : crypto::Ed25519Key::generate(random)
    };
}

void save_identity(const std::filesystem::path& data_dir, const Identity& identity) {
    if (!std::filesystem::exists(issuer_path(data_dir)))
        save_issuer(issuer_path(data_dir), identity.issuer);
    if (std::filesystem::exists(key_path(data_dir))) return;
    const auto saved = identity.signing_key.save_pem_file(key_path(data_dir));
    if (!saved) throw StartRefused(saved.error().detail);
}

std::optional<std::string> issuer_notice(const Config& config, const std::string& issuer) {
    if (!config.is_public_url_given || config.public_url == issuer) return std::nullopt;
    return "The issuer stays " + issuer + ": it was made by the first init, agents and tokens name "
           "it, and the public URL " + config.public_url + " does not change it.";
}

}  // namespace synapsex::app
