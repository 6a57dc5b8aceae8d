#pragma once

// What a signed context says, member by member: the payload of its JWS. Private to this folder. A
// service of another release reads it too, so members are added and never change; scopes go by
// name, because their bits differ between releases.

#include <optional>

#include <boost/describe.hpp>

#include "controlplane/platform/auth/call.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/result.hpp"

namespace synapsex {
BOOST_DESCRIBE_ENUM(PrincipalKind, anonymous, user, api_key, agent, system)
}  // namespace synapsex

namespace synapsex::context {

struct PrincipalClaims {
    PrincipalKind kind = PrincipalKind::anonymous;
    std::optional<TenantId> tenant;
    std::optional<UserId> user;
    std::optional<AgentId> agent;
    Text<0, 64> credential_id;
    auth::Role role = auth::Role::viewer;
    List<Text<1, 64>, 64> scopes;
    Standing standing;
    std::optional<std::int64_t> requests_per_minute;
    std::optional<Timestamp> signed_in_at;
    Text<0, 254> email;
    Text<0, 200> full_name;
};
BOOST_DESCRIBE_STRUCT(
    PrincipalClaims, (),
    (kind, tenant, user, agent, credential_id, role, scopes, standing, requests_per_minute,
     signed_in_at, email, full_name)
)

struct CallClaims {
    Text<1, 128> request_id;
    std::optional<TenantId> tenant;  // may be another than the principal's: Call::of_tenant
    PrincipalClaims principal;
    std::optional<Int<0, 86'400'000>> deadline_ms;  // from the signature on; absent: none
    Text<0, 64> traceparent;
    Text<0, 64> client_address;
    Text<0, 64> argument_digest;
};
BOOST_DESCRIBE_STRUCT(
    CallClaims, (),
    (request_id, tenant, principal, deadline_ms, traceparent, client_address, argument_digest)
)

// `iss`, `aud`, `iat`, `exp` and `jti` as RFC 7519 has them. Target and body by their SHA-256, in
// base64url, so that a context has a bounded size.
struct Claims {
    Text<1, 63> iss;
    Text<1, 63> aud;
    Int<0, 253'402'300'799> iat;
    Int<0, 253'402'300'799> exp;
    Text<22, 22> jti;
    Text<1, 16> method;
    Text<43, 43> target_digest;
    Text<43, 43> body_digest;
    CallClaims call;
};
BOOST_DESCRIBE_STRUCT(
    Claims, (), (iss, aud, iat, exp, jti, method, target_digest, body_digest, call)
)

std::string write_claims(const Claims& claims);
// Members that this release does not know are ignored.
Result<Claims> read_claims(std::string_view json);

CallClaims claims_of(const Call& call, const Clock& clock);
// Scopes that this release does not know are left out: nothing here asks for them.
Call call_of(const CallClaims& claims, const Clock& clock);

}  // namespace synapsex::context
