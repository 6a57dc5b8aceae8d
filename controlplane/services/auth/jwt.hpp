#pragma once

// JSON Web Tokens (RFC 7519) in the compact form, signed with EdDSA over Ed25519 (RFC 8037) and
// with nothing else: what an algorithm means is never the token's to say.
//
//   base64url(header) "." base64url(claims) "." base64url(64 bytes)

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/crypto/signer.hpp"

namespace synapsex::auth {

inline constexpr std::size_t kJwtBytesMax = 4096;

// The claims that we read and write; others are ignored. Instants are whole seconds since 1970,
// rounded down.
struct JwtClaims {
    std::string iss;
    std::string sub;
    std::vector<std::string> aud;
    std::optional<std::int64_t> iat;
    std::optional<std::int64_t> exp;
    std::optional<std::int64_t> nbf;
    std::string jti;
    std::string sid;  // the session
    std::string tid;  // the tenant
    std::string agent_key;  // the agent's key that bought the token
};

// A token that is well formed. Nothing in it is to be believed before has_valid_signature().
struct Jwt {
    std::string alg;
    std::string typ;
    std::string kid;
    JwtClaims claims;
    std::string signed_text;  // header and claims, as they came
    std::string signature;    // 64 bytes

    // By the raw 32 bytes of an Ed25519 key.
    bool has_valid_signature(std::string_view public_key) const;
};

// nullopt unless it is a compact JWS of at most kJwtBytesMax: three parts of base64url, JSON
// objects in the first two, members of the right types, `alg` EdDSA, no `crit`, a signature of 64
// bytes.
std::optional<Jwt> parse_jwt(std::string_view text);

// Members that are empty are left out; one audience is written as a string. `kid` is the signer's
// key id, or empty where its owner is known by other means.
std::string sign_jwt(
    const crypto::Signer& signer,
    std::string_view typ,
    std::string_view kid,
    const JwtClaims& claims
);

}  // namespace synapsex::auth
