#pragma once

// The public door: finds the operation of a request, asks who calls and whether they may, runs the
// handler on the pool (or at once, if the operation is inline), and turns everything that can go
// wrong into a problem document.

#include <array>
#include <map>

#include "controlplane/platform/auth/authenticator.hpp"
#include "controlplane/platform/http/server.hpp"
#include "controlplane/platform/http/worker_pool.hpp"
#include "controlplane/platform/metrics.hpp"
#include "controlplane/services/api_gateway/answer_fields.hpp"
#include "controlplane/services/api_gateway/client_address.hpp"
#include "controlplane/services/api_gateway/handling.hpp"
#include "controlplane/services/api_gateway/receipts.hpp"
#include "controlplane/services/api_gateway/request_limits.hpp"
#include "shared/base/random.hpp"

namespace synapsex::api_gateway {

// A call of a known principal that was answered 403, by the gateway or by the operation.
struct Denial {
    std::string_view operation;
    std::string_view scope;  // that the operation needs; empty: none
    std::string code;        // of the problem
};

class Gateway final : public http::Application {
 public:
    struct Parts {
        const api::Router& router;
        Authenticator& authenticator;
        http::WorkerPool& pool;
        const Clock& clock;
        Random& random;
        Metrics& metrics;
        std::string digest_key;  // of Call::argument_digest
        RequestLimits& limits;
        Receipts& receipts;
        // On whatever thread the answer was made, so it waits for nothing.
        std::function<void(const Call&, const Denial&)> on_denied =
            [](const Call&, const Denial&) {};
        CrossOrigin pages{};
        TrustedProxies proxies{};
        AccessLog access_log = AccessLog::on;
    };
    explicit Gateway(const Parts& parts);
    ~Gateway() override;

    http::Plan plan(const http::RequestHead& head) override;
    api::Reply failure(const Problem& problem, const http::RequestHead* head) override;
    void finished(
        const http::RequestHead* head, int status, std::chrono::nanoseconds took
    ) override;
    void finish_held(
        std::function<api::Reply(api::Wake)> finish,
        api::Wake wake,
        std::function<void(api::Reply)> done
    ) override;

 private:
    struct Pending;
    struct Origin;
    struct RouteMetrics;

    AnswerTerms terms_of(const http::RequestHead& head);
    http::Plan refuse(
        const Problem& problem, const http::RequestHead& head, const AnswerTerms& terms
    );
    http::Plan tell_methods(
        const http::RequestHead& head, const std::vector<api::Verb>& allowed,
        const AnswerTerms& terms
    );
    Origin origin_of(const http::RequestHead& head, const api::Route& route, AnswerTerms terms);
    Result<Done> admit(Pending& pending);
    Result<Done> admit_caller(Pending& pending);
    Result<Done> refuse_over_limit(Origin& origin);
    void run(const std::shared_ptr<Pending>& pending, std::string body, http::Plan::DoneFn done);
    api::Outcome handle(Pending& pending);
    api::Outcome call_handler(Pending& pending);
    Result<Done> authenticate(Pending& pending);
    void tell_if_denied(const Pending& pending, const api::Reply& reply) const;
    void conclude(const Origin& origin, api::Reply& reply);
    void keep_receipt(const Origin& origin, const api::Reply& reply);
    std::chrono::microseconds microseconds_since(SteadyTime start) const;
    std::string request_id_of(const http::RequestHead& head);

    Parts parts_;
    Counter& overloaded_;
    std::array<Counter*, 6> answers_by_class_{};  // by status / 100
    std::array<Counter*, 3> rate_limited_{};  // by LimitKind
    std::map<const api::Route*, std::unique_ptr<RouteMetrics>> route_metrics_;
};

}  // namespace synapsex::api_gateway
