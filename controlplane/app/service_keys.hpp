#pragma once

// By which keys services know each other. A process signs what it sends to a service's port with
// keys/services.pem of its data directory, which is made when it is first needed; whom it believes
// stands in service-keys/<service>.pub beside it, a file for each service that runs elsewhere and
// may call one of this process.

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "controlplane/platform/context/signed_context.hpp"
#include "shared/crypto/key_store.hpp"
#include "shared/crypto/signer.hpp"

namespace synapsex::app {

std::filesystem::path service_key_folder(const std::filesystem::path& data_dir);

// This process's own. Throws StartRefused.
std::shared_ptr<const crypto::Signer> own_service_key(crypto::KeyStore& keys);

// Everybody who is believed: each of `services` by the process's own key, which hosts them, and by
// the keys of its file. A file has a public key a line, as `service-key` prints it; `#` begins a
// comment. Throws StartRefused for one that is not this user's or root's alone to write, that holds
// something else or no key, or that is called as none of `services` is.
std::vector<context::Peer> load_peers(
    const std::filesystem::path& data_dir,
    std::span<const std::string> services,
    const std::string& own_public_key
);

}  // namespace synapsex::app
