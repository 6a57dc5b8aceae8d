#pragma once

// What every handler, service and store is told about the request it works for. Made by the
// gateway, passed inward as `const Call&`, never stored.

#include <memory>
#include <optional>
#include <string>

#include "controlplane/platform/auth/access.hpp"
#include "controlplane/platform/auth/standing.hpp"
#include "shared/base/ids.hpp"
#include "shared/base/time.hpp"

namespace synapsex {

namespace db {
class Effect;
}

enum class PrincipalKind { anonymous, user, api_key, agent, system };

// Who calls, as the credential proved it. Immutable once made; shared by the calls of a connection.
struct Principal {
    PrincipalKind kind = PrincipalKind::anonymous;
    TenantId tenant{};  // the tenant this credential acts in; empty for anonymous and system
    UserId user{};               // the user, also behind an API key
    AgentId agent{};             // only for PrincipalKind::agent
    std::string credential_id{}; // key_…, ses_…: what a revocation names
    auth::Role role = auth::Role::viewer;
    auth::ScopeSet scopes{};  // what the credential may do: of a user or API key
    Standing standing{};      // of the tenant
    // Of this credential alone, beside the tenant's; nullopt: only the tenant's counts.
    std::optional<std::int64_t> requests_per_minute{};
    // When who signed in last proved it with all that they have: of a user only.
    std::optional<Timestamp> signed_in_at{};
    std::string email{};
    std::string full_name{};
};

struct Call {
    std::string request_id;
    TenantId tenant;  // == principal->tenant, but see of_tenant
    std::shared_ptr<const Principal> principal;
    Deadline deadline = Deadline::never();
    std::string traceparent{};     // W3C Trace Context, as received, unread; empty if it was not
    std::string client_address{};  // the peer's, without port
    // What the client says that it is: printable ASCII, at most 200 characters, proved by nothing.
    std::string user_agent{};
    // HMAC-SHA-256 of what was asked for, hex; empty for what reads. Keyed, since a body may hold
    // what can be guessed: a password.
    std::string argument_digest{};
    // Told of what a write of this call makes (platform/db/effect.hpp); outlives the call.
    db::Effect* effect = nullptr;

    // For work that no request asked for: start-up, sweeps. `name` stands where a request id would.
    static Call system(std::string name, Deadline deadline);

    // The same call at work in a tenant that something else proved than the principal's credential:
    // an enrollment token, an assertion.
    Call of_tenant(const TenantId& proved) const;
};

}  // namespace synapsex
