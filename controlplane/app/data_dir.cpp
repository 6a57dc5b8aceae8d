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
constexpr std::string_view kDatabase = "database ";
constexpr std::string_view kFormer = "former ";

std::filesystem::path mark_path(const std::filesystem::path& data_dir) {
    return data_dir / "restore.unfinished";
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

void make_private_folder(const std::filesystem::path& folder) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (fs::exists(folder, error)) return;
    fs::create_directories(folder, error);
    if (!error) fs::permissions(folder, fs::perms::owner_all, error);
    if (error)
        throw StartRefused(
            "cannot make " + folder.string() + ": " + error.message() +
            "; choose another with --data-dir"
        );
}

void make_data_dir(const std::filesystem::path& data_dir) {
    for (const auto& folder : {data_dir, key_directory(data_dir)}) make_private_folder(folder);
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

std::optional<RestoreMark> find_restore_mark(const std::filesystem::path& data_dir) {
    if (!is_restore_unfinished(data_dir)) return std::nullopt;
    RestoreMark mark;
    std::string line;
    std::ifstream file{mark_path(data_dir)};
    std::getline(file, line);  // for people
    std::getline(file, mark.aside);
    while (std::getline(file, line)) {
        if (line.starts_with(kDatabase)) mark.databases.push_back(line.substr(kDatabase.size()));
        if (line.starts_with(kFormer)) mark.former.push_back(line.substr(kFormer.size()));
    }
    return mark;
}

void mark_restore(const std::filesystem::path& data_dir, const RestoreMark& mark) {
    std::string text = "Run the same restore again, or go back: backup.md, \"Going back\".\n";
    const auto add = [&](std::string_view kind, const std::string& line) {
        text.append(kind).append(line).append("\n");
    };
    add("", mark.aside);
    for (const auto& database : mark.databases) add(kDatabase, database);
    for (const auto& former : mark.former) add(kFormer, former);
    const auto path = mark_path(data_dir);
    const auto failure = make_new_file(path, text);
    if (failure && failure != std::errc::file_exists)
        throw StartRefused("cannot write " + path.string() + ": " + failure.message());
}

void unmark_restore(const std::filesystem::path& data_dir) {
    namespace fs = std::filesystem;
    const auto mark = mark_path(data_dir);
    std::error_code error;
    fs::remove(mark, error);
    if (error || !sync_folder(data_dir))
        throw StartRefused("cannot remove " + mark.string() + "; remove it");
    // Of runs that were killed while they made it.
    const auto unfinished = mark.filename().string() + ".new-";
    for (const auto& entry : fs::directory_iterator{data_dir, error})
        if (entry.path().filename().string().starts_with(unfinished))
            ::unlink(entry.path().c_str());
}

bool is_restore_unfinished(const std::filesystem::path& data_dir) {
    std::error_code ignored;
    return std::filesystem::exists(mark_path(data_dir), ignored);
}

void refuse_unfinished_restore(const std::filesystem::path& data_dir) {
    if (!is_restore_unfinished(data_dir)) return;
    throw StartRefused(
        "a restore into " + data_dir.string() + " did not come to its end; run the same "
        "synapsex-controlplane restore again, or go back to what was there before as "
        "docs/backup.md says under \"Going back\""
    );
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
