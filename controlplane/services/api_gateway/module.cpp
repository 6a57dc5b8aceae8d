#include "controlplane/services/api_gateway/module.hpp"

#include <array>

#include "controlplane/services/api_gateway/explain.hpp"

namespace synapsex::api_gateway {

namespace {

constexpr std::array<std::string_view, 2> kPrefixes{"/v1", "/docs"};

const ServiceManifest kManifest{
    .name = "api-gateway",
    .port = 8080,
    .prefixes = kPrefixes,
    .table_prefix = {},
    .migrations = {},
    .queries = {},
};

}  // namespace

const ServiceManifest& ApiGatewayModule::manifest() const { return kManifest; }

void ApiGatewayModule::mount(api::Router& router) {
    router.mount(kExplainRequest, [this](const Call& call, const RequestPath& path) {
        return explain(receipts_, call, path);
    });
    mount_probes(router, sources_);
    mount_reference(router, sources_);
}

}  // namespace synapsex::api_gateway
