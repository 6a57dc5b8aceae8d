#include "controlplane/services/api_gateway/service_door.hpp"

#include <algorithm>

#include "controlplane/services/api_gateway/authorization.hpp"
#include "controlplane/services/api_gateway/header_text.hpp"

namespace synapsex::api_gateway {

namespace {

// What tells whoever starts processes how this one is.
bool is_probe(const api::Route& route) {
    return route.operation.path == "/healthz" || route.operation.path == "/readyz";
}

std::string target_of(const http::RequestHead& head) {
    return head.query.empty() ? head.path : head.path + "?" + head.query;
}

}  // namespace

// What metrics and the log say of a request: all that is kept of one that is held.
struct ServiceDoor::Origin {
    const api::Route* route;
    SteadyTime started;
    std::string caller;  // empty: a probe
    std::string request_id;
    TenantId tenant;
};

// A request between its head and its answer.
struct ServiceDoor::Pending {
    const api::Route* route;
    api::RequestParts parts;
    std::string content_encoding;
    std::optional<context::Verified> verified;  // nullopt: a probe
    Call call;
    SteadyTime started;

    Origin origin() const {
        return {route, started, verified ? verified->caller : std::string{}, call.request_id,
                call.tenant};
    }
};

ServiceDoor::ServiceDoor(const Parts& parts)
    : parts_(parts),
      refused_(parts.metrics.counter(
          "synapsex_service_contexts_refused_total",
          "Requests at a service's port whose signed context was refused, or missing.",
          {{"service", parts.service}}
      )) {
    for (std::size_t i = 1; i < answers_by_class_.size(); ++i)
        answers_by_class_[i] = &parts.metrics.counter(
            "synapsex_service_answers_total",
            "Answers at a service's port by class of status, refusals included.",
            {{"service", parts.service}, {"status", std::to_string(i) + "xx"}}
        );
}

http::Plan ServiceDoor::refuse(
    const Problem& problem, const http::RequestHead& head, std::string_view request_id
) {
    log_warning(
        "request at a service's port refused",
        {{"requestId", request_id},
         {"service", parts_.service},
         {"method", head.method},
         {"path", head.path},
         {"code", problem.code},
         {"detail", problem.detail},
         {"client", head.client_address}}
    );
    http::Plan plan;
    plan.reply = api::problem_reply(problem, request_id);
    return plan;
}

Result<context::Verified> ServiceDoor::verify(const http::RequestHead& head) const {
    const auto text = list_header(head, context::kHeaderLowerCase);
    if (!text || text->empty()) return context::context_missing();
    const auto target = target_of(head);
    return parts_.verifier.verify(*text, {head.method, target});
}

http::Plan ServiceDoor::plan(const http::RequestHead& head) {
    auto pending = std::make_shared<Pending>();
    pending->started = parts_.clock.steady_now();
    const auto match = parts_.router.find(head.method, head.path);
    const bool is_open = match.route && is_probe(*match.route);
    if (is_open) {
        pending->call = Call::system("probe", Deadline::never());
    } else {
        auto verified = verify(head);
        if (!verified) {
            refused_.add();
            const auto id = RequestId::make(parts_.clock.now(), parts_.random);
            return refuse(verified.error(), head, id.text());
        }
        pending->verified = *std::move(verified);
        pending->call = std::move(pending->verified->call);
    }
    const auto& request_id = pending->call.request_id;
    if (!match.route) return refuse(no_such_path(head, match.allowed), head, request_id);
    auto parts = read_parts(head, match);
    if (!parts) return refuse(parts.error(), head, request_id);
    pending->route = match.route;
    pending->parts = *std::move(parts);
    pending->content_encoding = head.header("content-encoding");

    http::Plan plan;
    plan.body_bytes_max = match.route->operation.body_bytes_max;
    plan.run = [this, pending = std::move(pending)](std::string body, http::Plan::DoneFn done) {
        run(pending, std::move(body), std::move(done));
    };
    return plan;
}

void ServiceDoor::run(
    const std::shared_ptr<Pending>& pending, std::string body, http::Plan::DoneFn done
) {
    pending->parts.body = std::move(body);
    auto& call = pending->call;
    call.deadline = call.deadline.earlier(Deadline::after(parts_.clock, kRequestBudget));
    auto work = [this, pending, done] {
        done(always_answered(pending->call.request_id, [&] { return handle(*pending); }));
    };
    if (pending->route->operation.runs == api::Runs::inline_) return work();
    if (parts_.pool.submit(std::move(work))) return;
    auto reply = api::problem_reply(overloaded(), call.request_id);
    conclude(pending->origin(), reply);
    done(std::move(reply));
}

api::Outcome ServiceDoor::call_handler(Pending& pending) {
    const auto& call = pending.call;
    const auto failed = [&](const Problem& problem) {
        return api::problem_reply(problem, call.request_id);
    };
    const auto& operation = pending.route->operation;
    if (call.deadline.is_expired(parts_.clock)) return failed(waited_too_long());
    if (pending.verified) {
        const auto admitted = parts_.verifier.admit(*pending.verified, pending.parts.body);
        if (!admitted) {
            refused_.add();
            return failed(admitted.error());
        }
        // The gateway has asked already; a service that calls another one has not.
        if (auto allowed = authorize(*call.principal, operation); !allowed)
            return failed(allowed.error());
    }
    if (auto read = unpack_body(operation, pending.content_encoding, pending.parts.body); !read)
        return failed(read.error());
    const LogScope tenant_scope{{"tenantId", call.tenant.text()}};
    return pending.route->handle(call, pending.parts);
}

api::Outcome ServiceDoor::handle(Pending& pending) {
    auto outcome = guarded(pending.call.request_id, [&] { return call_handler(pending); });
    auto origin = pending.origin();
    if (const auto* reply = std::get_if<api::Reply>(&outcome)) {
        conclude(origin, *reply);
        return outcome;
    }
    guard_held(
        std::get<api::HeldReply>(outcome), pending.call.request_id, pending.call.tenant,
        [this, origin = std::move(origin)](const api::Reply& late) { conclude(origin, late); }
    );
    return outcome;
}

void ServiceDoor::conclude(const Origin& origin, const api::Reply& reply) {
    // As at the gateway: agents call all the time.
    const bool is_routine =
        origin.route->operation.access.kind == auth::AccessKind::agent && reply.status < 400;
    if (parts_.access_log == AccessLog::off || is_routine || origin.caller.empty()) return;
    using Milliseconds = std::chrono::duration<double, std::milli>;
    const Milliseconds took{parts_.clock.steady_now() - origin.started};
    log_info(
        "service request", {{"requestId", origin.request_id},
                            {"tenantId", origin.tenant.text()},
                            {"service", parts_.service},
                            {"caller", origin.caller},
                            {"operation", origin.route->operation.id},
                            {"status", reply.status},
                            {"milliseconds", took.count()}}
    );
}

api::Reply ServiceDoor::failure(const Problem& problem, const http::RequestHead*) {
    const auto id = RequestId::make(parts_.clock.now(), parts_.random);
    return api::problem_reply(problem, id.text());
}

void ServiceDoor::finished(const http::RequestHead*, int status, std::chrono::nanoseconds) {
    const auto status_class = static_cast<std::size_t>(std::clamp(status / 100, 1, 5));
    answers_by_class_[status_class]->add();
}

void ServiceDoor::finish_held(
    std::function<api::Reply(api::Wake)> finish, api::Wake wake,
    std::function<void(api::Reply)> done
) {
    auto work = [finish = std::move(finish), wake, done] { done(finish(wake)); };
    // The pool stops after the last session; to be sure of an answer even so:
    if (!parts_.pool.submit_admitted(std::move(work))) done(failure(overloaded(), nullptr));
}

}  // namespace synapsex::api_gateway
