#pragma once

// An operator's folder: root.json, the trust root (trust_root.hpp), which may be copied to those
// who make tokens, and operator.key, of the operator who works here. Both have mode 0600, the
// folder 0700, and neither is ever written over. Who signs gets a Signer, so that the key may be in
// a token one day.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "shared/base/random.hpp"
#include "shared/base/result.hpp"
#include "shared/crypto/signer.hpp"
#include "shared/crypto/trust_root.hpp"

namespace synapsex::crypto {

enum class OperatorKeyState {
    missing,
    plain,   // PKCS #8 in PEM
    sealed,  // the same in a sealed stream (sealed_stream.hpp), which a passphrase opens
};

class OperatorFolder {
 public:
    explicit OperatorFolder(std::filesystem::path path) : path_(std::move(path)) {}

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path root_path() const { return path_ / "root.json"; }
    std::filesystem::path key_path() const { return path_ / "operator.key"; }

    // nullopt: there is none. Fails with crypto.key_unreadable, key_unavailable or
    // crypto.trust_root_*, and a sentence of what to mend.
    Result<std::optional<TrustRoot>> find_root() const;
    Result<OperatorKeyState> key_state() const;
    // An empty passphrase is none. Fails with crypto.passphrase_needed, crypto.passphrase_unneeded,
    // crypto.passphrase_wrong, crypto.key_*.
    Result<std::shared_ptr<const Signer>> load_key(const std::string& passphrase) const;

    struct Wish {
        std::string operator_name;
        std::string passphrase;  // of a new key; empty: none
    };
    // A root with one operator's key, in a folder that is there. One that was killed here is taken
    // up with the key that it made. Kind::conflict crypto.trust_root_exists.
    Result<TrustRoot> make_root(const Wish& wish, Random& random, Timestamp now) const;

 private:
    // Whether it is there and ours alone.
    Result<bool> check() const;
    Result<Done> make_key(const std::string& passphrase, Random& random) const;

    std::filesystem::path path_;
};

}  // namespace synapsex::crypto
