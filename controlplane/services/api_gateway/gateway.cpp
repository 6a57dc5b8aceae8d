#include "controlplane/services/api_gateway/gateway.hpp"

#include <algorithm>

#include "controlplane/platform/api/gzip.hpp"
#include "controlplane/platform/api/parameters.hpp"
#include "controlplane/platform/db/query.hpp"
#include "controlplane/services/api_gateway/answer_fields.hpp"
#include "controlplane/services/api_gateway/authorization.hpp"
#include "controlplane/services/api_gateway/credential.hpp"
#include "controlplane/services/api_gateway/header_text.hpp"
#include "controlplane/services/api_gateway/negotiation.hpp"
#include "controlplane/services/api_gateway/refusals.hpp"
#include "controlplane/services/api_gateway/trace_context.hpp"
#include "shared/base/log.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::api_gateway {

namespace {

// Where people look first. No operation can have these paths: none ends in a slash.
bool is_way_to_reference(const http::RequestHead& head) {
    return (head.method == "GET" || head.method == "HEAD") &&
           (head.path == "/" || head.path == "/docs/");
}

api::Reply redirection_to_reference() {
    api::Reply reply{.status = 302, .content_type = "text/plain; charset=utf-8"};
    reply.headers.emplace_back("Location", "/docs");
    return reply;
}

// Documents and probes are what they are, whatever Accept says.
bool is_acceptable(const http::RequestHead& head, const api::Route& route) {
    const auto accept = list_header(head, "accept");
    if (!accept || *accept == "*/*" || !route.describe) return true;
    if (takes_type(*accept, "application/json")) return true;
    return route.operation.body == api::BodyKind::protobuf &&
           takes_type(*accept, "application/x-protobuf");
}

// nullopt without one. Two of them are malformed, as a list of two would be.
Result<std::optional<std::string>> find_idempotency_key(const http::RequestHead& head) {
    const auto value = list_header(head, "idempotency-key");
    if (!value) return std::optional<std::string>{};
    SYNAPSEX_TRY(auto key, api::parse_idempotency_key(*value));
    return std::optional{std::move(key)};
}

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

const std::shared_ptr<const Principal>& nobody() {
    static const auto principal = std::make_shared<const Principal>();
    return principal;
}

}  // namespace

// What metrics and the log say of a request: all that is kept of one that is held.
struct Gateway::Origin {
    const api::Route* route;
    SteadyTime started;
    std::string method;
    std::string path;
    AnswerTerms terms;
    TenantId tenant;
    std::string client_address;
};

// A request between its head and its answer.
struct Gateway::Pending {
    const api::Route* route;
    api::RequestParts parts;
    std::optional<Credential> credential;
    std::string content_encoding;
    Call call;
    SteadyTime started;
    std::string method;
    std::string path;
    AnswerTerms terms;

    Origin origin() const {
        return {route, started, method, path, terms, call.tenant, call.client_address};
    }
};

struct Gateway::RouteMetrics {
    std::array<Counter*, 6> by_class{};  // by status / 100
    Histogram* seconds = nullptr;
};

Gateway::Gateway(const Parts& parts)
    : parts_(parts),
      overloaded_(parts.metrics.counter(
          "synapsex_http_overloaded_total", "Requests refused because the worker queue was full."
      )) {
    for (std::size_t i = 1; i < answers_by_class_.size(); ++i)
        answers_by_class_[i] = &parts.metrics.counter(
            "synapsex_http_answers_total", "Answers by class of status, refusals included.",
            {{"status", std::to_string(i) + "xx"}}
        );
    for (const auto& route : parts.router.routes()) {
        auto entry = std::make_unique<RouteMetrics>();
        const std::string id{route->operation.id};
        for (std::size_t i = 1; i < entry->by_class.size(); ++i) {
            const Labels labels{{"operation", id}, {"status", std::to_string(i) + "xx"}};
            entry->by_class[i] = &parts.metrics.counter(
                "synapsex_http_requests_total", "Answers by operation and class of status.", labels
            );
        }
        entry->seconds = &parts.metrics.histogram(
            "synapsex_http_request_seconds", "From the end of the header to the answer.",
            {{"operation", id}}
        );
        route_metrics_.emplace(route.get(), std::move(entry));
    }
}

Gateway::~Gateway() = default;

std::string Gateway::request_id_of(const http::RequestHead& head) {
    const auto given = head.header("x-request-id");
    const bool is_well_formed =
        !given.empty() && given.size() <= 64 && std::ranges::all_of(given, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '_' || c == '.';
        });
    if (is_well_formed) return std::string{given};
    return RequestId::make(parts_.clock.now(), parts_.random).text();
}

AnswerTerms Gateway::terms_of(const http::RequestHead& head) {
    AnswerTerms terms{.request_id = request_id_of(head)};
    if (const auto traceparent = list_header(head, "traceparent"))
        terms.traceparent = span_of_request(*traceparent, parts_.random).text();
    terms.origin = parts_.pages.origin_of(head);
    terms.takes_gzip = takes_gzip(list_header(head, "accept-encoding").value_or(""));
    return terms;
}

http::Plan Gateway::refuse(
    const Problem& problem, const http::RequestHead& head, const AnswerTerms& terms
) {
    http::Plan plan;
    plan.reply = api::problem_reply(problem, terms.request_id);
    finish_answer(parts_.pages, terms, *plan.reply);
    if (parts_.access_log == AccessLog::on)
        log_info(
            "request refused", {{"requestId", terms.request_id},
                                {"method", head.method},
                                {"path", head.path},
                                {"status", plan.reply->status},
                                {"code", problem.code},
                                {"client", parts_.proxies.client_of(head)}}
        );
    return plan;
}

// What OPTIONS asks for; also a browser, before it lets a page send a request.
http::Plan Gateway::tell_methods(
    const http::RequestHead& head, const std::vector<api::Verb>& allowed, const AnswerTerms& terms
) {
    const auto methods = methods_of(allowed);
    http::Plan plan;
    plan.reply = api::Reply{.status = 204, .content_type = {}};
    plan.reply->headers.emplace_back("Allow", methods);
    parts_.pages.allow_ahead(head, methods, *plan.reply);
    finish_answer(parts_.pages, terms, *plan.reply);
    return plan;
}

http::Plan Gateway::plan(const http::RequestHead& head) {
    auto terms = terms_of(head);
    if (is_way_to_reference(head)) {
        http::Plan plan;
        plan.reply = redirection_to_reference();
        finish_answer(parts_.pages, terms, *plan.reply);
        return plan;
    }
    auto match = parts_.router.find(head.method, head.path);
    if (!match.route && head.method == "OPTIONS" && !match.allowed.empty())
        return tell_methods(head, match.allowed, terms);
    if (!match.route) return refuse(no_such_path(head, match.allowed), head, terms);

    const auto& operation = match.route->operation;
    if (!is_acceptable(head, *match.route)) return refuse(not_acceptable(operation), head, terms);
    std::optional<Credential> credential;
    if (operation.access.reads_credential()) {
        auto found = find_credential(head);
        if (!found) return refuse(found.error(), head, terms);
        credential = *std::move(found);
    }
    auto query = api::parse_parameters(head.query);
    if (!query) return refuse(query.error(), head, terms);
    std::optional<std::string> idempotency_key;
    if (api::stores_answers(operation)) {
        auto found = find_idempotency_key(head);
        if (!found) return refuse(found.error(), head, terms);
        idempotency_key = *std::move(found);
    }

    auto pending = std::make_shared<Pending>();
    pending->route = match.route;
    pending->parts.path = std::move(match.path_parameters);
    pending->parts.query = *std::move(query);
    pending->parts.media_type = media_type_of(head.header("content-type"));
    pending->parts.idempotency_key = std::move(idempotency_key);
    pending->credential = std::move(credential);
    pending->content_encoding = head.header("content-encoding");
    pending->started = parts_.clock.steady_now();
    pending->method = head.method;
    pending->path = head.path;
    pending->call.request_id = terms.request_id;
    pending->call.principal = nobody();
    pending->call.traceparent = terms.traceparent;
    pending->call.client_address = parts_.proxies.client_of(head);
    pending->terms = std::move(terms);

    http::Plan plan;
    plan.body_bytes_max = operation.body_bytes_max;
    plan.run = [this, pending = std::move(pending)](std::string body, http::Plan::DoneFn done) {
        run(pending, std::move(body), std::move(done));
    };
    return plan;
}

void Gateway::run(
    const std::shared_ptr<Pending>& pending, std::string body, http::Plan::DoneFn done
) {
    pending->parts.body = std::move(body);
    pending->call.deadline = Deadline::after(parts_.clock, kRequestBudget);
    if (pending->credential)
        if (auto cached = parts_.authenticator.find_cached(*pending->credential))
            pending->call.principal = std::move(cached);
    const bool is_known = !pending->credential || pending->call.principal != nobody();
    auto work = [this, pending, done] {
        const auto& id = pending->terms.request_id;
        done(always_answered(id, [&] { return handle(*pending); }));
    };
    if (is_known && pending->route->operation.runs == api::Runs::inline_) return work();
    if (parts_.pool.submit(std::move(work))) return;
    overloaded_.add();
    auto reply = api::problem_reply(overloaded(), pending->call.request_id);
    conclude(pending->origin(), reply);
    done(std::move(reply));
}

Result<Done> Gateway::authenticate(Pending& pending) {
    if (!pending.credential) return Done{};
    if (pending.call.principal == nobody()) {
        SYNAPSEX_TRY(
            pending.call.principal,
            parts_.authenticator.authenticate(pending.call, *pending.credential)
        );
    }
    pending.call.tenant = pending.call.principal->tenant;
    return authorize(*pending.call.principal, pending.route->operation.access);
}

api::Outcome Gateway::call_handler(Pending& pending) {
    const auto failed = [&](const Problem& problem) {
        return api::problem_reply(problem, pending.call.request_id);
    };
    if (pending.call.deadline.is_expired(parts_.clock)) return failed(waited_too_long());
    if (auto allowed = authenticate(pending); !allowed) return failed(allowed.error());
    if (!pending.content_encoding.empty() && pending.content_encoding != "identity") {
        const bool is_agent = pending.route->operation.access.kind == auth::AccessKind::agent;
        if (!is_agent || pending.content_encoding != "gzip")
            return failed(
                {Kind::unsupported_media, "request.unsupported_encoding",
                 is_agent ? "Only Content-Encoding: gzip is understood."
                          : "Content-Encoding is not understood here."}
            );
        auto unpacked = api::gunzip(pending.parts.body, kUnpackedBytesMax);
        if (!unpacked) return failed(unpacked.error());
        pending.parts.body = *std::move(unpacked);
    }
    const auto& operation = pending.route->operation;
    if (operation.method != api::Verb::get && operation.access.kind != auth::AccessKind::agent)
        pending.call.argument_digest =
            crypto::hmac_sha256_hex(parts_.digest_key, pending.parts.body);
    const LogScope tenant_scope{{"tenantId", pending.call.tenant.text()}};
    return pending.route->handle(pending.call, pending.parts);
}

api::Outcome Gateway::handle(Pending& pending) {
    auto outcome = guarded(pending.call.request_id, [&] { return call_handler(pending); });
    if (auto* reply = std::get_if<api::Reply>(&outcome)) {
        conclude(pending.origin(), *reply);
        return outcome;
    }
    // Nothing else of the request outlives this call: parked agents are many.
    auto& held = std::get<api::HeldReply>(outcome);
    held.finish = [this, origin = pending.origin(),
                   inner = std::move(held.finish)](api::Wake wake) {
        return always_answered(origin.terms.request_id, [&] {
            auto late = guarded(origin.terms.request_id, [&] {
                const LogScope tenant_scope{{"tenantId", origin.tenant.text()}};
                return inner(wake);
            });
            conclude(origin, late);
            return late;
        });
    };
    return outcome;
}

void Gateway::conclude(const Origin& origin, api::Reply& reply) {
    const auto took = parts_.clock.steady_now() - origin.started;
    const auto& operation = origin.route->operation;
    finish_answer(parts_.pages, origin.terms, operation, reply);

    const auto& metrics = *route_metrics_.at(origin.route);
    const auto status_class = static_cast<std::size_t>(std::clamp(reply.status / 100, 1, 5));
    metrics.by_class[status_class]->add();
    metrics.seconds->observe(took);

    // Agents call all the time: theirs are lines only when something is wrong.
    const bool is_agent_routine =
        operation.access.kind == auth::AccessKind::agent && reply.status < 400;
    if (parts_.access_log == AccessLog::off || is_agent_routine) return;
    using Milliseconds = std::chrono::duration<double, std::milli>;
    log_info(
        "request", {{"requestId", origin.terms.request_id},
                    {"tenantId", origin.tenant.text()},
                    {"method", origin.method},
                    {"path", origin.path},
                    {"operation", operation.id},
                    {"status", reply.status},
                    {"milliseconds", Milliseconds{took}.count()},
                    {"client", origin.client_address}}
    );
}

api::Reply Gateway::failure(const Problem& problem, const http::RequestHead* head) {
    const auto terms =
        head ? terms_of(*head)
             : AnswerTerms{.request_id = RequestId::make(parts_.clock.now(), parts_.random).text()};
    auto reply = api::problem_reply(problem, terms.request_id);
    finish_answer(parts_.pages, terms, reply);
    return reply;
}

void Gateway::finished(const http::RequestHead*, int status, std::chrono::nanoseconds) {
    // What reached an operation is counted there; this counts every answer, refusals included.
    const auto status_class = static_cast<std::size_t>(std::clamp(status / 100, 1, 5));
    answers_by_class_[status_class]->add();
}

void Gateway::finish_held(
    std::function<api::Reply(api::Wake)> finish, api::Wake wake,
    std::function<void(api::Reply)> done
) {
    auto work = [finish = std::move(finish), wake, done] { done(finish(wake)); };
    // The pool stops after the last session; to be sure of an answer even so:
    if (!parts_.pool.submit_admitted(std::move(work))) done(failure(overloaded(), nullptr));
}

}  // namespace synapsex::api_gateway
