#pragma once

// What signs with a key that it does not show. Callers hold a Signer and never the key, so that the
// key may as well be in a PKCS #11 token or a cloud's key service; where it is from is the matter
// of a KeyStore.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace synapsex::crypto {

enum class SignatureAlgorithm { ed25519 };

// One private key. Any thread.
class Signer {
 public:
    virtual ~Signer() = default;

    // 16 characters (96 bits) of the RFC 7638 thumbprint of the public key: the `kid` of what it
    // signs.
    virtual std::string key_id() const = 0;
    virtual SignatureAlgorithm algorithm() const = 0;
    virtual std::string public_key() const = 0;  // Ed25519: 32 bytes
    // Ed25519: 64 bytes. Throws std::runtime_error if the key cannot be used now.
    virtual std::string sign(std::string_view message) const = 0;
};

// By which others verify.
struct PublicKey {
    std::string key_id;
    SignatureAlgorithm algorithm = SignatureAlgorithm::ed25519;
    std::string bytes;

    friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

inline PublicKey public_key_of(const Signer& signer) {
    return {signer.key_id(), signer.algorithm(), signer.public_key()};
}

// The keys of one purpose. One signs, all are published and believed: while a key is replaced, its
// successor is published before it signs, and it stays published after it has signed its last.
struct SigningKeys {
    std::shared_ptr<const Signer> signer;
    std::vector<PublicKey> published;  // the signer's first

    static SigningKeys of(std::shared_ptr<const Signer> signer) {
        auto key = public_key_of(*signer);
        return {std::move(signer), {std::move(key)}};
    }
    // nullptr: not one of ours.
    const PublicKey* find(std::string_view key_id) const {
        for (const auto& key : published)
            if (key.key_id == key_id) return &key;
        return nullptr;
    }
};

}  // namespace synapsex::crypto
