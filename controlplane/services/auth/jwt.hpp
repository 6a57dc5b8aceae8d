#pragma once

// JSON Web Tokens (RFC 7519): claims in a compact JWS of EdDSA (platform/jws).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/jws/jws.hpp"

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
struct Jwt : jws::Jws {
    JwtClaims claims;
};

// nullopt unless it is a JWS that jws::parse reads, of at most kJwtBytesMax, with a JSON object of
// claims of the right types.
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
