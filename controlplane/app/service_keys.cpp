#include "controlplane/app/service_keys.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/app/commands.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/start_refused.hpp"
#include "shared/crypto/file_key_store.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::app {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeyName = "services";
constexpr std::string_view kSuffix = ".pub";
constexpr std::size_t kPublicKeyBytes = 32;
constexpr std::size_t kKeysMax = 8;  // of one service: its replicas' and their successors'

// Who may write the file decides who is believed.
void require_ours(const fs::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
        throw StartRefused("cannot read " + file.string());
    if (status.st_uid != ::geteuid() && status.st_uid != 0)
        throw StartRefused(file.string() + " belongs to another user; chown it");
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        throw StartRefused(
            file.string() + " may be written by others, who could let themselves in; "
            "chmod go-w it"
        );
}

std::vector<std::string> read_public_keys(const fs::path& file) {
    require_ours(file);
    std::vector<std::string> keys;
    std::ifstream stream{file};
    for (std::string line; std::getline(stream, line);) {
        const auto last = line.find_last_not_of(" \t\r");
        line.erase(last == line.npos ? 0 : last + 1);
        if (line.empty() || line.starts_with('#')) continue;
        auto key = crypto::from_base64url(line);
        if (!key || key->size() != kPublicKeyBytes)
            throw StartRefused(
                file.string() + " holds a line that is no public key; put there what "
                "synapsex-controlplane service-key prints on the other machine"
            );
        keys.push_back(*std::move(key));
    }
    if (keys.empty()) throw StartRefused(file.string() + " holds no public key; remove it");
    if (keys.size() > kKeysMax)
        throw StartRefused(
            file.string() + " holds more than " + std::to_string(kKeysMax) + " public keys"
        );
    return keys;
}

// The services that have a file.
std::vector<std::string> list_files(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    if (!fs::exists(folder, error)) return names;
    for (const auto& entry : fs::directory_iterator{folder, error}) {
        const auto name = entry.path().filename().string();
        if (name.ends_with(kSuffix)) names.push_back(name.substr(0, name.size() - kSuffix.size()));
    }
    if (error) throw StartRefused("cannot read " + folder.string() + ": " + error.message());
    return names;
}

}  // namespace

fs::path service_key_folder(const fs::path& data_dir) { return data_dir / "service-keys"; }

std::shared_ptr<const crypto::Signer> own_service_key(crypto::KeyStore& keys) {
    const auto key = keys.get_or_make(kKeyName);
    if (!key) throw StartRefused(key.error().detail);
    return key->signer;
}

std::vector<context::Peer> load_peers(
    const fs::path& data_dir, std::span<const std::string> services,
    const std::string& own_public_key
) {
    const auto folder = service_key_folder(data_dir);
    const auto files = list_files(folder);
    for (const auto& name : files)
        if (std::ranges::find(services, name) == services.end())
            throw StartRefused(
                (folder / (name + std::string{kSuffix})).string() + " is called as no service is; "
                "synapsex-controlplane services lists their names"
            );
    std::vector<context::Peer> peers;
    for (const auto& name : services) {
        context::Peer peer{name, {own_public_key}};
        if (std::ranges::find(files, name) != files.end())
            for (auto& key : read_public_keys(folder / (name + std::string{kSuffix})))
                peer.public_keys.push_back(std::move(key));
        peers.push_back(std::move(peer));
    }
    return peers;
}

int print_service_key(const Config& config) {
    require_owner(config.data_dir);
    refuse_unfinished_restore(config.data_dir);
    make_data_dir(config.data_dir);
    SystemRandom random;
    crypto::FileKeyStore keys{key_directory(config.data_dir), random};
    const auto signer = own_service_key(keys);
    std::printf("%s\n", crypto::to_base64url(signer->public_key()).c_str());
    return 0;
}

}  // namespace synapsex::app
