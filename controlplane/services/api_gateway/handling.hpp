#pragma once

// What stands around a handler, whoever asked for it: clients at the gateway, or another service at
// the door of one. Reads what of a request the handler gets, and turns everything that can go wrong
// into a problem document.

#include <exception>

#include "controlplane/platform/api/router.hpp"
#include "controlplane/platform/db/query.hpp"
#include "controlplane/platform/http/server.hpp"
#include "controlplane/services/api_gateway/refusals.hpp"
#include "shared/base/log.hpp"

namespace synapsex::api_gateway {

// Of a handler, from the end of the request's body; waiting for a worker counts.
inline constexpr std::chrono::seconds kRequestBudget{30};
// Of an agent's body that came with Content-Encoding: gzip.
inline constexpr std::size_t kUnpackedBytesMax = 1024 * 1024;

enum class AccessLog { off, on };

// All but the body. request.malformed for a query or an Idempotency-Key that cannot be read.
Result<api::RequestParts> read_parts(const http::RequestHead& head, const api::Match& match);

// The body as the operation reads it; request.unsupported_encoding.
Result<Done> unpack_body(
    const api::OperationInfo& operation, const std::string& content_encoding, std::string& body
);

// What `make` returns, or the problem that what it threw is told as.
template <class Make>
auto guarded(const std::string& request_id, const Make& make) -> decltype(make()) {
    const LogScope request_scope{{"requestId", request_id}};
    try {
        return make();
    } catch (const db::DatabaseError& error) {
        log_error("database failed", {{"error", error.what()}});
        const Problem problem{
            .kind = Kind::unavailable,
            .code = "database.unavailable",
            .detail = "The database cannot serve this now.",
            .retry_after = std::chrono::seconds{5},
        };
        return api::problem_reply(problem, request_id);
    } catch (const std::exception& error) {
        log_error("handler failed", {{"error", error.what()}});
        return api::problem_reply(internal_error(), request_id);
    }
}

// What `make` returns, whatever happens around the handler (no memory, a bug in the log): an answer
// that is not given leaves its connection waiting.
template <class Make>
auto always_answered(const std::string& request_id, const Make& make) -> decltype(make()) {
    try {
        return make();
    } catch (const std::exception& error) {
        log_error("request failed", {{"requestId", request_id}, {"error", error.what()}});
        auto reply = api::problem_reply(internal_error(), request_id);
        reply.headers.emplace_back("X-Request-Id", request_id);
        return reply;
    }
}

// A held answer's `finish` with the same guards; `conclude` gets the reply, and is all that is kept
// meanwhile.
template <class Conclude>
void guard_held(
    api::HeldReply& held, std::string request_id, const TenantId& tenant, Conclude conclude
) {
    held.finish = [request_id = std::move(request_id), tenant, conclude = std::move(conclude),
                   inner = std::move(held.finish)](api::Wake wake) {
        return always_answered(request_id, [&] {
            auto late = guarded(request_id, [&] {
                const LogScope tenant_scope{{"tenantId", tenant.text()}};
                return inner(wake);
            });
            conclude(late);
            return late;
        });
    };
}

}  // namespace synapsex::api_gateway
