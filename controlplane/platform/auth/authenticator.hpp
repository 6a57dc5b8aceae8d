#pragma once

// Turns a credential into a Principal. The gateway asks; auth-service answers.

#include <memory>
#include <string>

#include "controlplane/platform/auth/call.hpp"
#include "shared/base/result.hpp"

namespace synapsex {

struct Credential {
    std::string secret;  // an access token or API key, from Authorization: Bearer or X-API-Key
    std::string tenant;  // X-Tenant-Id: id or slug of a tenant of the caller's; empty: the default
};

class Authenticator {
 public:
    virtual ~Authenticator() = default;

    // Answers from memory or not at all: runs on I/O threads, touches no database. nullptr means
    // "ask authenticate", not "refused".
    virtual std::shared_ptr<const Principal> find_cached(const Credential& credential) = 0;

    // Kind::unauthenticated with code auth.credential_invalid, auth.credential_expired or
    // auth.credential_revoked; Kind::not_found tenants.not_found for a tenant that is not the
    // caller's. May read the database: pool threads only.
    virtual Result<std::shared_ptr<const Principal>> authenticate(
        const Call& call, const Credential& credential
    ) = 0;
};

}  // namespace synapsex
