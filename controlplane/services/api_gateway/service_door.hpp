#pragma once

// The inner door: one service's operations, for the other services of the installation. It believes
// a signed context (platform/context) and nothing else: no credential is read here, and no field
// that says who calls. /healthz and /readyz are answered to anybody.

#include <array>

#include "controlplane/platform/context/signed_context.hpp"
#include "controlplane/platform/http/server.hpp"
#include "controlplane/platform/http/worker_pool.hpp"
#include "controlplane/platform/metrics.hpp"
#include "controlplane/services/api_gateway/handling.hpp"
#include "shared/base/random.hpp"

namespace synapsex::api_gateway {

// Of a door's server: a context comes on top of what a client may send.
inline constexpr std::size_t kDoorHeaderBytesMax = 32 * 1024;

class ServiceDoor final : public http::Application {
 public:
    struct Parts {
        std::string service;  // "tenant-service"
        const api::Router& router;
        context::Verifier& verifier;
        http::WorkerPool& pool;
        const Clock& clock;
        Random& random;
        Metrics& metrics;
        AccessLog access_log = AccessLog::on;
    };
    explicit ServiceDoor(const Parts& parts);

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

    http::Plan refuse(
        const Problem& problem, const http::RequestHead& head, std::string_view request_id
    );
    Result<context::Verified> verify(const http::RequestHead& head) const;
    void run(const std::shared_ptr<Pending>& pending, std::string body, http::Plan::DoneFn done);
    api::Outcome handle(Pending& pending);
    api::Outcome call_handler(Pending& pending);
    void conclude(const Origin& origin, const api::Reply& reply);

    const Parts parts_;
    Counter& refused_;
    std::array<Counter*, 6> answers_by_class_{};  // by status / 100
};

}  // namespace synapsex::api_gateway
