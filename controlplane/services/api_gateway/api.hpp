#pragma once

// /v1/requests: what the gateway decided about the caller's own requests.

#include <optional>
#include <string>
#include <vector>

#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/auth/standing.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/ids.hpp"
#include "shared/base/time.hpp"

namespace synapsex::api_gateway {

// Whose limit.
enum class LimitKind { address, credential, tenant };
BOOST_DESCRIBE_ENUM(LimitKind, address, credential, tenant)

// Who gave the answer.
enum class DecidedBy {
    limit,     // too many requests
    access,    // the credential may not do it
    deadline,  // it waited too long for its turn
    operation,
};
BOOST_DESCRIBE_ENUM(DecidedBy, limit, access, deadline, operation)

// How a credential became a caller.
enum class CredentialSource { memory, database };
BOOST_DESCRIBE_ENUM(CredentialSource, memory, database)

struct RequestPath {
    Text<1, 64> request_id;
};
BOOST_DESCRIBE_STRUCT(RequestPath, (), (request_id))

struct ExplainedCaller {
    std::string kind{};  // "user", "api_key"
    std::string credential_id{};
    CredentialSource source = CredentialSource::memory;
    UserId user_id{};
    TenantId tenant_id{};
    TenantState tenant_state = TenantState::active;
    auth::Role role = auth::Role::viewer;
};
BOOST_DESCRIBE_STRUCT(
    ExplainedCaller, (), (kind, credential_id, source, user_id, tenant_id, tenant_state, role)
)

struct ExplainedLimit {
    LimitKind kind = LimitKind::tenant;
    std::int64_t requests = 0;
    std::int64_t window_seconds = 0;
    std::int64_t remaining = 0;
    bool is_over = false;
};
BOOST_DESCRIBE_STRUCT(ExplainedLimit, (), (kind, requests, window_seconds, remaining, is_over))

struct ExplainedTimes {
    std::int64_t waiting_microseconds = 0;
    std::int64_t authentication_microseconds = 0;
    std::int64_t operation_microseconds = 0;
    std::int64_t total_microseconds = 0;
};
BOOST_DESCRIBE_STRUCT(
    ExplainedTimes, (),
    (waiting_microseconds, authentication_microseconds, operation_microseconds,
     total_microseconds)
)

struct Explanation {
    std::string request_id{};
    Timestamp received_at{};
    std::string method{};
    std::string path{};
    std::string operation{};
    std::string client_address{};
    int status = 0;
    DecidedBy decided_by = DecidedBy::operation;
    std::string summary{};
    std::optional<std::string> code{};
    std::optional<std::string> scope{};
    std::optional<bool> is_scope_granted{};
    ExplainedCaller caller{};
    std::vector<ExplainedLimit> limits{};
    ExplainedTimes times{};
};
BOOST_DESCRIBE_STRUCT(
    Explanation, (),
    (request_id, received_at, method, path, operation, client_address, status, decided_by, summary,
     code, scope, is_scope_granted, caller, limits, times)
)

inline constexpr api::Operation<RequestPath, Explanation> kExplainRequest{
    .id = "requests.explain", .path = "/v1/requests/{requestId}/explain",
    .access = auth::signed_in(), .runs = api::Runs::inline_,
    .summary = "Read why one of the caller's own recent requests was answered as it was.",
    .description =
        "Which credential, limits and decision applied, and how long each took. For half an hour, "
        "of the user who calls, whichever session or API key made the request (an API key sees its "
        "own tenant's); a tenant's last 512 refused and failed requests and its last 128 others. "
        "Where the server runs as replicas, the one that answered the request knows of it. A "
        "request that showed no valid credential is nobody's."};

}  // namespace synapsex::api_gateway
