#pragma once

// Ed25519 (RFC 8032): the agent's identity and the signature of access tokens. With
// time_proof.hpp the only caller of EVP_DigestSign. The control plane gets at its keys through a
// KeyStore and sees Signers only.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/random.hpp"
#include "shared/base/result.hpp"
#include "shared/crypto/signer.hpp"

struct evp_pkey_st;

namespace synapsex::crypto {

// A private key. Cheap to copy; immutable.
class Ed25519Key final : public Signer {
 public:
    static Ed25519Key generate(Random& random);
    // From the 32 bytes of RFC 8032's private key. Throws std::runtime_error for any other size.
    static Ed25519Key from_seed(std::string_view seed);

    // PKCS #8 PEM without a pass phrase, in a file that is ours alone. Refuses as read_key_file
    // does, and with crypto.key_unreadable for what is no such key.
    static Result<Ed25519Key> load_pem_file(const std::filesystem::path& path);
    // Refuses as make_key_file does.
    Result<Done> save_pem_file(const std::filesystem::path& path) const;
    // The same text, for who keeps it elsewhere. nullopt: it holds no such key.
    static std::optional<Ed25519Key> from_pem(std::string_view pem);
    std::string to_pem() const;

    std::string key_id() const override;
    SignatureAlgorithm algorithm() const override { return SignatureAlgorithm::ed25519; }
    std::string public_key() const override;
    std::string sign(std::string_view message) const override;
    std::string public_key_base64url() const;  // 43 characters

 private:
    explicit Ed25519Key(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
    std::shared_ptr<evp_pkey_st> key_;
};

// How a public key of 32 bytes is called: the beginning of its RFC 7638 thumbprint, 16 characters.
std::string ed25519_key_id(std::string_view public_key);

// False also for a public key or signature of the wrong size. `public_key` is the raw 32 bytes.
bool verify_ed25519(
    std::string_view public_key, std::string_view message, std::string_view signature
);

}  // namespace synapsex::crypto
