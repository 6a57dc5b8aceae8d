#pragma once

// The operators' trust root (crypto/trust_root.hpp) on this machine, in a folder beside the sign-in
// that it goes with: root.json, which may be copied to those who make tokens, and operator.key, of
// the operator who works here. Both have mode 0600, the folder 0700, and neither is ever written
// over. No server is asked about them or hears of the key.

#include <filesystem>
#include <optional>
#include <string>

#include "controlplane/cli/context.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/trust_root.hpp"

namespace synapsex::cli {

enum class OperatorKeyState {
    missing,
    plain,   // PKCS #8 in PEM
    sealed,  // the same in a crypto/sealed_stream.hpp, which a passphrase opens
};

class TrustFolder {
 public:
    // "credentials.json" has "credentials.trust".
    static TrustFolder beside(const std::filesystem::path& credentials);
    // Beside the sign-in that commands use. Fails as Context::credentials_file does.
    static Result<TrustFolder> of(const Context& context);

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path root_path() const { return path_ / "root.json"; }
    std::filesystem::path key_path() const { return path_ / "operator.key"; }

    // nullopt: there is none. Fails with crypto.key_unreadable, key_unavailable or
    // crypto.trust_root_*, and a sentence of what to mend.
    Result<std::optional<crypto::TrustRoot>> find_root() const;
    Result<OperatorKeyState> key_state() const;
    // An empty passphrase is none. Fails with cli.passphrase_needed, cli.passphrase_unneeded,
    // cli.passphrase_wrong, crypto.key_*.
    Result<crypto::Ed25519Key> load_key(const std::string& passphrase) const;

    struct Wish {
        std::string operator_name;
        std::string passphrase;  // of a new key; empty: none
    };
    // A root with one operator's key. One that was killed here is taken up with the key that it
    // made. Kind::conflict cli.trust_root_exists.
    Result<crypto::TrustRoot> make_root(const Wish& wish, Random& random, Timestamp now) const;

 private:
    explicit TrustFolder(std::filesystem::path path) : path_(std::move(path)) {}
    // Whether it is there and ours alone.
    Result<bool> check() const;
    Result<Done> make_key(const std::string& passphrase, Random& random) const;

    std::filesystem::path path_;
};

}  // namespace synapsex::cli
