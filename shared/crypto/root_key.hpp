#pragma once

// The one secret from which the control plane derives a key for each purpose, so that a new purpose
// needs no new file to keep and restore. It encrypts nothing itself.

#include <string>
#include <string_view>

#include "shared/base/random.hpp"
#include "shared/crypto/seal.hpp"

namespace synapsex::crypto {

class RootKey {
 public:
    static constexpr std::size_t kBytes = 32;

    static RootKey generate(Random& random);
    // Throws std::runtime_error unless it is kBytes long.
    explicit RootKey(std::string bytes);

    // HKDF with the label; a label is of one purpose and never changes.
    SealingKey derive(std::string_view label) const { return SealingKey::derive(bytes_, label); }
    // 12 characters (72 bits) that tell one root key from another and nothing of it: they may be
    // shown, and stand before what was sealed.
    const std::string& key_id() const { return key_id_; }
    const std::string& bytes() const { return bytes_; }

 private:
    std::string bytes_;
    std::string key_id_;
};

}  // namespace synapsex::crypto
