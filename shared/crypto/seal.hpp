#pragma once

// Authenticated encryption of small values: AES-256-GCM (NIST SP 800-38D) under a key that HKDF
// (RFC 5869, SHA-256) derives.

#include <optional>
#include <string>
#include <string_view>

#include "shared/base/random.hpp"

namespace synapsex::crypto {

class SealingKey {
 public:
    // `secret` holds at least 128 random bits; keys of different labels tell nothing of each other.
    static SealingKey derive(std::string_view secret, std::string_view label);
    const std::string& bytes() const { return bytes_; }

 private:
    explicit SealingKey(std::string bytes) : bytes_(std::move(bytes)) {}
    std::string bytes_;
};

// base64url of nonce (12 bytes), ciphertext and tag (16 bytes). `bound_to` is not in it and has to
// be the same to open it: what the value belongs to, so that it opens nowhere else.
std::string seal(
    const SealingKey& key, std::string_view plaintext, std::string_view bound_to, Random& random
);
// Nothing if the key or `bound_to` is another, or a bit of it was changed.
std::optional<std::string> open(
    const SealingKey& key, std::string_view sealed, std::string_view bound_to
);

}  // namespace synapsex::crypto
