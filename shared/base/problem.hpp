#pragma once

// A failure that a caller can act on, as a value. The kind decides the HTTP status and the log
// level (one table, controlplane/platform/api/problem_document.cpp); the code is stable and is what
// programs compare; the detail is for people and may change. Outages and bugs are exceptions.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace synapsex {

enum class Kind {
    invalid,                // 400: the request cannot be read or breaks a rule it could have known
    unauthenticated,        // 401
    forbidden,              // 403
    not_found,              // 404, also for what belongs to another tenant
    method_not_allowed,     // 405
    not_acceptable,         // 406
    timeout,                // 408: the client took too long to send its request
    conflict,               // 409
    precondition_failed,    // 412
    too_large,              // 413
    unsupported_media,      // 415
    unprocessable,          // 422: well formed, but contradicts what the server knows
    precondition_required,  // 428: If-Match is missing
    rate_limited,           // 429
    header_too_large,       // 431
    internal,               // 500
    unavailable,            // 503
    deadline_exceeded,      // 504
};

// One thing wrong with a request body or query; `pointer` is an RFC 6901 JSON pointer ("/name"),
// or the parameter's name for path and query members ("limit").
struct FieldProblem {
    std::string pointer;
    std::string code;
    std::string detail;

    friend bool operator==(const FieldProblem&, const FieldProblem&) = default;
};

struct Problem {
    Kind kind = Kind::internal;
    std::string code{};    // stable, dotted: "tenants.slug_taken"
    std::string detail{};  // one sentence for a person
    std::vector<FieldProblem> errors{};
    std::optional<std::chrono::seconds> retry_after{};
    // Extra response headers a standard asks for: WWW-Authenticate, Allow.
    std::vector<std::pair<std::string, std::string>> headers{};
};

}  // namespace synapsex
