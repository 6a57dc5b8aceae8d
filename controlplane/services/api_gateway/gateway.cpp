#include "controlplane/services/api_gateway/gateway.hpp"

#include <algorithm>

#include "controlplane/platform/api/problem_document.hpp"
#include "controlplane/services/api_gateway/answer_fields.hpp"
#include "controlplane/services/api_gateway/authorization.hpp"
#include "controlplane/services/api_gateway/credential.hpp"
#include "controlplane/services/api_gateway/header_text.hpp"
#include "controlplane/services/api_gateway/negotiation.hpp"
#include "controlplane/services/api_gateway/trace_context.hpp"
#include "shared/base/log.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::api_gateway {

namespace {

constexpr std::size_t kUserAgentMax = 200;

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
    if (takes_type(*accept, route.answer_type) || takes_type(*accept, "application/json"))
        return true;
    return route.operation.body == api::BodyKind::protobuf &&
           takes_type(*accept, "application/x-protobuf");
}

const std::shared_ptr<const Principal>& nobody() {
    static const auto principal = std::make_shared<const Principal>();
    return principal;
}

}  // namespace

// What metrics, the log and the receipt say of a request: all that is kept of one that is held.
struct Gateway::Origin {
    const api::Route* route = nullptr;
    SteadyTime started;
    AnswerTerms terms;
    TenantId tenant;
    Receipt receipt;  // without what the answer and the terms say
};

// A request between its head and its answer.
struct Gateway::Pending {
    Origin origin;
    api::RequestParts parts;
    std::optional<Credential> credential;
    std::string content_encoding;
    Call call;
    bool is_admitted = false;  // it has been counted against the limits of who calls

    bool is_known() const { return !credential || call.principal != nobody(); }
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
    for (std::size_t i = 0; i < rate_limited_.size(); ++i)
        rate_limited_[i] = &parts.metrics.counter(
            "synapsex_http_rate_limited_total", "Requests refused for their rate, by whose limit.",
            {{"limit", std::string{enum_name(static_cast<LimitKind>(i))}}}
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
    auto parts = read_parts(head, match);
    if (!parts) return refuse(parts.error(), head, terms);

    auto pending = std::make_shared<Pending>();
    pending->origin = origin_of(head, *match.route, std::move(terms));
    pending->parts = *std::move(parts);
    pending->credential = std::move(credential);
    pending->content_encoding = head.header("content-encoding");
    pending->call.request_id = pending->origin.terms.request_id;
    pending->call.principal = nobody();
    pending->call.traceparent = pending->origin.terms.traceparent;
    pending->call.client_address = pending->origin.receipt.client_address;
    pending->call.user_agent = printable(head.header("user-agent"), kUserAgentMax);
    if (pending->credential)
        if (auto cached = parts_.authenticator.find_cached(*pending->credential))
            pending->call.principal = std::move(cached);

    http::Plan plan;
    if (auto admitted = admit(*pending); !admitted) {
        plan.reply = api::problem_reply(admitted.error(), pending->call.request_id);
        conclude(pending->origin, *plan.reply);
        return plan;
    }
    plan.body_bytes_max = operation.body_bytes_max;
    plan.run = [this, pending = std::move(pending)](std::string body, http::Plan::DoneFn done) {
        run(pending, std::move(body), std::move(done));
    };
    return plan;
}

Gateway::Origin Gateway::origin_of(
    const http::RequestHead& head, const api::Route& route, AnswerTerms terms
) {
    Origin origin{&route, parts_.clock.steady_now(), std::move(terms), {}, {}};
    auto& receipt = origin.receipt;
    receipt.received_at = parts_.clock.now();
    receipt.method = head.method;
    receipt.path = head.path;
    receipt.client_address = parts_.proxies.client_of(head);
    receipt.operation = &route.operation;
    receipt.caller = nobody();
    return origin;
}

// Before anything is done for it. Documents and probes are for everybody.
Result<Done> Gateway::admit(Pending& pending) {
    auto& origin = pending.origin;
    if (origin.route->operation.access.kind == auth::AccessKind::anyone &&
        !origin.route->describe)
        return Done{};
    const auto& address = origin.receipt.client_address;
    if (pending.call.principal != nobody()) return admit_caller(pending);
    origin.terms.limits = pending.credential ? parts_.limits.look(address)
                                             : parts_.limits.admit(address);
    return refuse_over_limit(origin);
}

Result<Done> Gateway::admit_caller(Pending& pending) {
    auto& origin = pending.origin;
    origin.tenant = pending.call.principal->tenant;
    if (Receipts::takes(*pending.call.principal)) origin.receipt.caller = pending.call.principal;
    origin.terms.limits = parts_.limits.admit(*pending.call.principal);
    pending.is_admitted = true;
    return refuse_over_limit(origin);
}

Result<Done> Gateway::refuse_over_limit(Origin& origin) {
    if (!is_over(origin.terms.limits)) return Done{};
    origin.receipt.decided_by = DecidedBy::limit;
    rate_limited_.at(static_cast<std::size_t>(origin.terms.limits.back().kind))->add();
    return over_limit(origin.terms.limits);
}

void Gateway::run(
    const std::shared_ptr<Pending>& pending, std::string body, http::Plan::DoneFn done
) {
    pending->parts.body = std::move(body);
    pending->call.deadline = Deadline::after(parts_.clock, kRequestBudget);
    const auto asked_at = parts_.clock.steady_now();
    auto work = [this, pending, asked_at, done] {
        pending->origin.receipt.waiting = microseconds_since(asked_at);
        const auto& id = pending->call.request_id;
        done(always_answered(id, [&] { return handle(*pending); }));
    };
    const auto& operation = pending->origin.route->operation;
    if (pending->is_known() && operation.runs == api::Runs::inline_) return work();
    if (parts_.pool.submit(std::move(work))) return;
    overloaded_.add();
    auto reply = api::problem_reply(overloaded(), pending->call.request_id);
    conclude(pending->origin, reply);
    done(std::move(reply));
}

Result<Done> Gateway::authenticate(Pending& pending) {
    if (!pending.credential) return Done{};
    auto& receipt = pending.origin.receipt;
    if (pending.call.principal == nobody()) {
        const auto asked_at = parts_.clock.steady_now();
        auto principal = parts_.authenticator.authenticate(pending.call, *pending.credential);
        receipt.authentication = microseconds_since(asked_at);
        receipt.credential_source = CredentialSource::database;
        if (!principal) {
            // Whoever guesses is slowed down before the next guess is looked up.
            if (principal.error().kind == Kind::unauthenticated)
                pending.origin.terms.limits = parts_.limits.admit(receipt.client_address);
            return principal.error();
        }
        pending.call.principal = *std::move(principal);
    }
    pending.call.tenant = pending.call.principal->tenant;
    if (!pending.is_admitted) SYNAPSEX_CHECK(admit_caller(pending));
    auto allowed = authorize(*pending.call.principal, *receipt.operation);
    if (!allowed) receipt.decided_by = DecidedBy::access;
    return allowed;
}

std::chrono::microseconds Gateway::microseconds_since(SteadyTime start) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(
        parts_.clock.steady_now() - start
    );
}

api::Outcome Gateway::call_handler(Pending& pending) {
    const auto& operation = pending.origin.route->operation;
    const auto failed = [&](const Problem& problem) {
        return api::problem_reply(problem, pending.call.request_id);
    };
    if (pending.call.deadline.is_expired(parts_.clock)) {
        pending.origin.receipt.decided_by = DecidedBy::deadline;
        return failed(waited_too_long());
    }
    if (auto allowed = authenticate(pending); !allowed) return failed(allowed.error());
    if (auto read = unpack_body(operation, pending.content_encoding, pending.parts.body); !read)
        return failed(read.error());
    if (operation.method != api::Verb::get && operation.access.kind != auth::AccessKind::agent)
        pending.call.argument_digest =
            crypto::hmac_sha256_hex(parts_.digest_key, pending.parts.body);
    const LogScope tenant_scope{{"tenantId", pending.call.tenant.text()}};
    return pending.origin.route->handle(pending.call, pending.parts);
}

api::Outcome Gateway::handle(Pending& pending) {
    auto outcome = guarded(pending.call.request_id, [&] { return call_handler(pending); });
    if (auto* reply = std::get_if<api::Reply>(&outcome)) {
        tell_if_denied(pending, *reply);
        conclude(pending.origin, *reply);
        return outcome;
    }
    // Nothing else of the request outlives this call: parked agents are many.
    guard_held(
        std::get<api::HeldReply>(outcome), pending.call.request_id, pending.call.tenant,
        [this, origin = pending.origin](api::Reply& late) { conclude(origin, late); }
    );
    return outcome;
}

// Who had no credential, or a wrong one, is nobody: a storm of those would be all that is told.
void Gateway::tell_if_denied(const Pending& pending, const api::Reply& reply) const {
    if (reply.status != api::http_status(Kind::forbidden)) return;
    if (pending.call.principal == nobody()) return;
    const auto problem = api::parse_problem(reply.status, reply.body);
    const auto& operation = pending.origin.route->operation;
    parts_.on_denied(pending.call, {operation.id, operation.access.scope, problem.code});
}

void Gateway::conclude(const Origin& origin, api::Reply& reply) {
    const auto took = parts_.clock.steady_now() - origin.started;
    const auto& operation = origin.route->operation;
    finish_answer(parts_.pages, origin.terms, operation, reply);

    const auto& metrics = *route_metrics_.at(origin.route);
    const auto status_class = static_cast<std::size_t>(std::clamp(reply.status / 100, 1, 5));
    metrics.by_class[status_class]->add();
    metrics.seconds->observe(took);

    keep_receipt(origin, reply);
    // Agents call all the time, and who asks too often does so most of all: theirs are no lines.
    const bool is_agent_routine =
        operation.access.kind == auth::AccessKind::agent && reply.status < 400;
    const auto& receipt = origin.receipt;
    if (parts_.access_log == AccessLog::off || is_agent_routine ||
        receipt.decided_by == DecidedBy::limit)
        return;
    using Milliseconds = std::chrono::duration<double, std::milli>;
    log_info(
        "request", {{"requestId", origin.terms.request_id},
                    {"tenantId", origin.tenant.text()},
                    {"method", receipt.method},
                    {"path", receipt.path},
                    {"operation", operation.id},
                    {"status", reply.status},
                    {"milliseconds", Milliseconds{took}.count()},
                    {"client", receipt.client_address}}
    );
}

void Gateway::keep_receipt(const Origin& origin, const api::Reply& reply) {
    if (!Receipts::takes(*origin.receipt.caller)) return;
    auto receipt = origin.receipt;
    receipt.request_id = origin.terms.request_id;
    receipt.limits = origin.terms.limits;
    receipt.status = reply.status;
    if (reply.status >= 400) receipt.problem = reply.body;
    receipt.total = microseconds_since(origin.started);
    parts_.receipts.keep(std::move(receipt));
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
