#include "controlplane/app/data_dir.hpp"

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/app/services.hpp"
#include "shared/base/descriptor.hpp"
#include "shared/base/new_file.hpp"
#include "shared/crypto/authority.hpp"
#include "shared/crypto/key_file.hpp"

namespace synapsex::app {

namespace {

constexpr std::string_view kAccessTokens = "access-tokens";

std::filesystem::path mark_path(const std::filesystem::path& data_dir) {
    return data_dir / "restore.unfinished";
}

void refuse_unfinished_restore(const std::filesystem::path& data_dir) {
    if (!is_restore_unfinished(data_dir)) return;
    throw StartRefused(
        "a restore into " + data_dir.string() + " did not come to its end; run the same "
        "synapsex-controlplane restore again"
    );
}

std::string load_issuer(const std::filesystem::path& path) {
    std::string issuer;
    if (!std::getline(std::ifstream{path} >> std::ws, issuer) || issuer.empty())
        throw StartRefused("cannot read " + path.string());
    return issuer;
}

bool is_missing(const Problem& problem) { return problem.code == crypto::kKeyMissing; }

// The key, or its sentence for the operator.
template <class Key>
Key require(Result<Key> key) {
    if (!key) throw StartRefused(key.error().detail);
    return *std::move(key);
}

}  // namespace

void make_data_dir(const std::filesystem::path& data_dir) {
    namespace fs = std::filesystem;
    std::error_code error;
    for (const auto& directory : {data_dir, key_directory(data_dir)}) {
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

std::filesystem::path issuer_path(const std::filesystem::path& data_dir) {
    return data_dir / "issuer";
}

void require_owner(const std::filesystem::path& data_dir) {
    struct stat status{};
    if (::stat(data_dir.c_str(), &status) != 0 || status.st_uid == ::geteuid()) return;
    throw StartRefused(
        data_dir.string() + " belongs to user " + std::to_string(status.st_uid) +
        "; run this as that user, as in  setpriv --reuid " + std::to_string(status.st_uid) +
        " --regid " + std::to_string(status.st_gid) + " --clear-groups synapsex-controlplane …"
    );
}

crypto::Authority load_authority(const std::filesystem::path& data_dir) {
    const auto path = authority_path(data_dir);
    if (!std::filesystem::exists(path))
        throw StartRefused(
            path.string() + " is not there; restore it from the backup, or, if there has never "
            "been one, run synapsex-controlplane init again: it makes what is missing and changes "
            "nothing else"
        );
    auto authority = crypto::Authority::load(path);
    if (!authority) throw StartRefused(authority.error().detail);
    return *std::move(authority);
}

std::string mark_restore(const std::filesystem::path& data_dir, const std::string& aside) {
    const auto path = mark_path(data_dir);
    const auto failure = make_new_file(
        path, "Run the same restore again. Keys and issuer of before are moved to\n" + aside + '\n'
    );
    if (failure && failure != std::errc::file_exists)
        throw StartRefused("cannot write " + path.string() + ": " + failure.message());
    std::string sentence;
    std::string first_aside;
    std::ifstream mark{path};
    std::getline(std::getline(mark, sentence), first_aside);
    return first_aside.empty() ? aside : first_aside;  // a release before wrote the sentence alone
}

void unmark_restore(const std::filesystem::path& data_dir) {
    std::error_code error;
    std::filesystem::remove(mark_path(data_dir), error);
    if (error || !sync_folder(data_dir))
        throw StartRefused("cannot remove " + mark_path(data_dir).string() + "; remove it");
}

bool is_restore_unfinished(const std::filesystem::path& data_dir) {
    std::error_code ignored;
    return std::filesystem::exists(mark_path(data_dir), ignored);
}

std::filesystem::path key_directory(const std::filesystem::path& data_dir) {
    return data_dir / "keys";
}

std::filesystem::path authority_path(const std::filesystem::path& data_dir) {
    return key_directory(data_dir) / "authority.key";
}

Identity load_identity(const std::filesystem::path& data_dir, const crypto::KeyStore& keys) {
    refuse_unfinished_restore(data_dir);
    auto access_tokens = keys.get(kAccessTokens);
    const bool is_new = !access_tokens && is_missing(access_tokens.error());
    if (is_new || !std::filesystem::exists(issuer_path(data_dir)))
        throw StartRefused(
            "no keys or no issuer in " + data_dir.string() +
            "; run synapsex-controlplane init first"
        );
    const auto root = keys.get_root_key();
    if (!root && is_missing(root.error()))
        throw StartRefused(
            root.error().detail + "; restore the root key from the backup, or, if there has never "
            "been one, run synapsex-controlplane init again: it makes what is missing and changes "
            "nothing else"
        );
    require(root);
    return {
        .issuer = load_issuer(issuer_path(data_dir)),
        .access_token_keys = require(std::move(access_tokens)),
    };
}

Identity load_or_make_identity(
    const std::filesystem::path& data_dir, const std::string& public_url, crypto::KeyStore& keys
) {
    refuse_unfinished_restore(data_dir);
    const auto issuer = issuer_path(data_dir);
    require(keys.get_or_make_root_key());
    return {
        .issuer = std::filesystem::exists(issuer) ? load_issuer(issuer) : public_url,
        .access_token_keys = require(keys.get_or_make(kAccessTokens)),
    };
}

void make_authority(const std::filesystem::path& data_dir, Timestamp now) {
    const auto path = authority_path(data_dir);
    if (!std::filesystem::exists(path)) {
        const auto saved = crypto::Authority::make(now).save(path);
        // By another init, a moment ago.
        if (!saved && saved.error().code != crypto::kKeyExists)
            throw StartRefused(saved.error().detail);
    }
    require(crypto::Authority::load(path));
}

void save_issuer(const std::filesystem::path& data_dir, const std::string& issuer) {
    const auto path = issuer_path(data_dir);
    if (std::filesystem::exists(path)) return;
    const auto failure = make_new_file(path, issuer + '\n');
    // By another init, a moment ago.
    if (failure == std::errc::file_exists) return;
    if (failure) throw StartRefused("cannot write " + path.string() + ": " + failure.message());
}

std::optional<std::string> issuer_notice(const Config& config, const std::string& issuer) {
    if (!config.is_public_url_given || config.public_url == issuer) return std::nullopt;
    return "The issuer stays " + issuer + ": it was made by the first init, agents and tokens name "
           "it, and the public URL " + config.public_url + " does not change it.";
}

}  // namespace synapsex::app
