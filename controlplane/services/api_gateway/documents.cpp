#include "controlplane/services/api_gateway/documents.hpp"

#include <array>
#include <memory>

#include "controlplane/platform/api/gzip.hpp"
#include "controlplane/platform/api/openapi.hpp"
#include "controlplane/services/api_gateway/viewer.hpp"
#include "shared/base/log.hpp"
#include "shared/base/version.hpp"

namespace synapsex::api_gateway {

namespace {

constexpr std::array kTags{
    api::OpenApiTag{"agents", "The daemons on VMs: enrollment, heartbeats, state."},
    api::OpenApiTag{"audit", "What happened in the tenant, by whom, from where."},
    api::OpenApiTag{
        "auth",
        "Sign-in, API keys, tokens. Answers with tokens and the form of POST /v1/auth/token have "
        "OAuth's names (`access_token`), and the path of a key has `key_id`, as known clients do."},
    api::OpenApiTag{"plans", "What tenants may use."},
    api::OpenApiTag{"requests", "Why a request of one's own was answered as it was."},
    api::OpenApiTag{"tenants", "Tenants, their members, and what they may use."},
    api::OpenApiTag{"vms", "VMs: inventory and telemetry."},
};

api::OperationInfo document(std::string_view id, std::string_view path) {
    api::OperationInfo operation;
    operation.id = id;
    operation.path = path;
    operation.access = auth::anyone();
    operation.runs = api::Runs::inline_;
    operation.summary = id;
    return operation;
}

std::string render_readiness(const std::vector<Readiness>& checks, bool is_ready) {
    std::string json =
        is_ready ? R"({"status":"ready","checks":[)" : R"({"status":"not_ready","checks":[)";
    for (const auto& check : checks) {
        if (json.back() == '}') json += ',';
        json += "{\"name\":";
        append_json_string(json, check.name);
        json += check.is_ready ? ",\"ready\":true,\"detail\":" : ",\"ready\":false,\"detail\":";
        append_json_string(json, check.detail);
        json += '}';
    }
    return json + "]}";
}

api::Reply viewer_file(const ViewerFile& file) {
    api::Reply reply{.content_type = std::string{file.content_type}, .lasting_body = file.bytes};
    reply.headers.emplace_back("Cache-Control", "public, max-age=3600");
    // The viewer runs scripts of its own; nothing else may run or be loaded on the page.
    reply.headers.emplace_back(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    );
    reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
    return reply;
}

}  // namespace

std::string make_openapi(const api::Router& router, std::string_view public_url) {
    const api::OpenApiInfo info{kVersion, public_url, kTags};
    return api::openapi_document(router, info);
}

void mount_health(api::Router& router, std::function<std::vector<Readiness>()> readiness) {
    router.mount_raw(document("gateway.healthz", "/healthz"), [](const Call&, const auto&) {
        return api::Outcome{api::Reply{.body = R"({"status":"ok"})"}};
    });
    auto ready = document("gateway.readyz", "/readyz");
    ready.runs = api::Runs::pool;
    router.mount_raw(ready, [read = std::move(readiness)](const Call&, const auto&) {
        const auto checks = read();
        bool is_ready = true;
        for (const auto& check : checks) is_ready = is_ready && check.is_ready;
        return api::Outcome{api::Reply{
            .status = is_ready ? 200 : 503, .body = render_readiness(checks, is_ready)
        }};
    });
}

void mount_probes(api::Router& router, const DocumentSources& sources) {
    mount_health(router, sources.readiness);
    // Inline, so that it answers when every worker waits for a database: that is when it is needed.
    // What a gauge reads has to be in memory at hand.
    router.mount_raw(
        document("gateway.metrics", "/metrics"),
        [&metrics = sources.metrics](const Call&, const auto&) {
            return api::Outcome{api::Reply{
                .content_type = "text/plain; version=0.0.4; charset=utf-8",
                .body = metrics.render(),
            }};
        }
    );
}

void mount_reference(api::Router& router, const DocumentSources& sources) {
    const auto text = std::make_shared<const std::string>(
        make_openapi(router, sources.public_url)
    );
    const auto packed = std::make_shared<const std::string>(api::gzip(*text));
    router.mount_raw(
        document("gateway.openapi", "/v1/openapi.json"),
        [text, packed](const Call&, const auto&) {
            return api::Outcome{api::Reply{.lasting_body = *text, .lasting_gzip = *packed}};
        }
    );
    for (const auto& file : viewer_files()) {
        router.mount_raw(document(file.operation_id, file.path), [&file](const Call&, const auto&) {
            return api::Outcome{viewer_file(file)};
        });
    }
}

}  // namespace synapsex::api_gateway
