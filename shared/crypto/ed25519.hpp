#pragma once

// Ed25519 (RFC 8032): the agent's identity and the signature of access tokens. The only caller of
// EVP_DigestSign; a KeyStore that keeps keys elsewhere will stand in front of it.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "shared/base/random.hpp"
#include "shared/base/result.hpp"

struct evp_pkey_st;

namespace synapsex::crypto {

// A private key. Cheap to copy; immutable.
class Ed25519Key {
 public:
    static Ed25519Key generate(Random& random);
    // From the 32 bytes of RFC 8032's private key. Throws std::runtime_error for any other size.
    static Ed25519Key from_seed(std::string_view seed);

    // PKCS #8 PEM. Refuses with crypto.key_unreadable: no such file, no such key, or a file that
    // others than its owner may read; with crypto.key_unavailable: the machine cannot read it now
    // (an I/O error, too many open files), which may pass.
    static Result<Ed25519Key> load_pem_file(const std::filesystem::path& path);
    // Mode 0600, written aside, synced and renamed. Refuses with crypto.key_unwritable.
    Result<Done> save_pem_file(const std::filesystem::path& path) const;

    std::string sign(std::string_view message) const;  // 64 bytes
    std::string public_key() const;                    // 32 bytes
    std::string public_key_base64url() const;          // 43 characters

 private:
    explicit Ed25519Key(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
    std::shared_ptr<evp_pkey_st> key_;
};

// False also for a public key or signature of the wrong size. `public_key` is the raw 32 bytes.
bool verify_ed25519(
    std::string_view public_key, std::string_view message, std::string_view signature
);

}  // namespace synapsex::crypto
