#pragma once

// JSON Web Signatures (RFC 7515) in the compact form, signed with EdDSA over Ed25519 (RFC 8037) and
// with nothing else: what an algorithm means is never the text's to say.
//
//   base64url(header) "." base64url(payload) "." base64url(64 bytes)

#include <optional>
#include <string>
#include <string_view>

#include "shared/crypto/signer.hpp"

namespace synapsex::jws {

// One that is well formed. Nothing in it is to be believed before has_valid_signature().
struct Jws {
    std::string alg;
    std::string typ;
    std::string kid;
    std::string payload;      // decoded
    std::string signed_text;  // header and payload, as they came
    std::string signature;    // 64 bytes

    // By the raw 32 bytes of an Ed25519 key.
    bool has_valid_signature(std::string_view public_key) const;
};

// nullopt unless it is three parts of base64url, a JSON object in the first with `alg` EdDSA, no
// `crit` and members of the right types, and a signature of 64 bytes.
std::optional<Jws> parse(std::string_view text);

// `kid` is the signer's key id, or empty where its owner is known by other means.
std::string sign(
    const crypto::Signer& signer,
    std::string_view typ,
    std::string_view kid,
    std::string_view payload
);

}  // namespace synapsex::jws
