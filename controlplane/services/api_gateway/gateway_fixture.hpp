#pragma once

// A gateway with an operation of each kind of access, and callers of each kind.

#include <gmock/gmock.h>

#include <future>

#include "controlplane/services/api_gateway/gateway.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::api_gateway {

// "viewer-token" is a viewer, "owner-token" an owner, "owner-key" an API key of the owner's,
// "agent-token" an agent.
class FakeAuthenticator final : public Authenticator {
 public:
    std::shared_ptr<const Principal> find_cached(const Credential& credential) override {
        return is_caching ? find(credential.secret) : nullptr;
    }
    Result<std::shared_ptr<const Principal>> authenticate(
        const Call&, const Credential& credential
    ) override {
        ++looked_up;
        if (auto principal = find(credential.secret)) return principal;
        return Problem{Kind::unauthenticated, "auth.credential_invalid", "Not known."};
    }

    bool is_caching = false;
    std::optional<std::int64_t> requests_per_minute{};  // of the tenant of all
    std::atomic<int> looked_up = 0;

 private:
    std::shared_ptr<const Principal> find(const std::string& secret) const {
        auto principal = std::make_shared<Principal>();
        principal->kind = secret == "agent-token" ? PrincipalKind::agent : PrincipalKind::user;
        if (secret == "owner-key") principal->kind = PrincipalKind::api_key;
        principal->role = secret.starts_with("owner") ? auth::Role::owner : auth::Role::viewer;
        principal->scopes = auth::scopes_of(principal->role);
        principal->standing.requests_per_minute = requests_per_minute;
        if (secret != "viewer-token" && secret != "owner-token" && secret != "owner-key" &&
            secret != "agent-token")
            return nullptr;
        return principal;
    }
};

class GatewayTest : public ::testing::Test {
 protected:
    GatewayTest() {
        mount("test.open", api::Verb::get, "/v1/open", auth::anyone());
        mount("test.read", api::Verb::get, "/v1/things/{id}", auth::user("vms.read"));
        mount("test.write", api::Verb::post, "/v1/things", auth::user("tenants.write"));
        mount("test.agent", api::Verb::post, "/v1/agent", auth::agent());
        mount(
            "test.sign_in", api::Verb::post, "/v1/keys",
            auth::without_keys(auth::user("tenants.write"))
        );
        mount("test.proof", api::Verb::post, "/v1/login", auth::proof());
        mount("test.signed_in", api::Verb::get, "/v1/me", auth::signed_in());
        mount("test.beat", api::Verb::post, "/v1/beat", auth::agent(), api::Runs::inline_);
        gateway.emplace(gateway_parts());
    }

    Gateway::Parts gateway_parts() {
        return {
            .router = router,
            .authenticator = authenticator,
            .pool = pool,
            .clock = clock,
            .random = random,
            .metrics = metrics,
            .digest_key = "key",
            .limits = limits,
            .receipts = receipts,
            .access_log = AccessLog::off,
        };
    }

    void mount(
        std::string_view id, api::Verb verb, std::string_view path, const auth::Access& access,
        api::Runs runs = api::Runs::pool
    ) {
        api::OperationInfo operation;
        operation.runs = runs;
        operation.id = id;
        operation.method = verb;
        operation.path = path;
        operation.access = access;
        operation.body_bytes_max = 1024;
        router.mount_raw(operation, [this](const Call& call, const api::RequestParts& parts) {
            if (look) look(call);
            return handler(parts);
        });
    }

    http::RequestHead head_of(const std::string& method, const std::string& path) {
        http::RequestHead head;
        head.method = method;
        head.path = path;
        head.client_address = "127.0.0.1";
        return head;
    }
    api::Reply send(const http::RequestHead& head, std::string body = {}) {
        auto plan = gateway->plan(head);
        if (plan.reply) return *plan.reply;
        std::promise<api::Outcome> promise;
        plan.run(std::move(body), [&](api::Outcome outcome) {
            promise.set_value(std::move(outcome));
        });
        auto outcome = promise.get_future().get();
        return std::get<api::Reply>(outcome);
    }
    api::Reply send_as(
        const std::string& token, const std::string& method, const std::string& path,
        std::string body = {}
    ) {
        auto head = head_of(method, path);
        head.headers.emplace_back("authorization", "Bearer " + token);
        return send(head, std::move(body));
    }
    static std::string header_of(const api::Reply& reply, std::string_view name) {
        for (const auto& [header, value] : reply.headers)
            if (header == name) return value;
        return {};
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    RequestLimits limits{clock, 1200};
    Receipts receipts{clock};
    Metrics metrics;
    api::Router router;
    FakeAuthenticator authenticator;
    http::WorkerPool pool{{.threads = 2, .queue_max = 4}};
    std::function<void(const Call&)> look{};
    std::function<api::Outcome(const api::RequestParts&)> handler =
        [](const api::RequestParts& parts) -> api::Outcome {
        return api::Reply{.body = parts.body};
    };
    std::optional<Gateway> gateway;
};

}  // namespace synapsex::api_gateway
