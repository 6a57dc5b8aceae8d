#pragma once

// What the gateway answers itself: health, metrics, the OpenAPI document and its viewer.

#include <functional>
#include <string>
#include <vector>

#include "controlplane/platform/module.hpp"

namespace synapsex::api_gateway {

struct DocumentSources {
    // Everything that /readyz asks, in order.
    std::function<std::vector<Readiness>()> readiness;
    Metrics& metrics;
    std::string public_url;  // the server of the OpenAPI document, without "/v1"
};

// The OpenAPI document of what is mounted by now; what operators and the golden test read.
std::string make_openapi(const api::Router& router, std::string_view public_url);

// GET /healthz, /readyz.
void mount_health(api::Router& router, std::function<std::vector<Readiness>()> readiness);
// The same and /metrics.
void mount_probes(api::Router& router, const DocumentSources& sources);
// GET /v1/openapi.json, /docs and the viewer's files. Mount last: it describes what is there.
void mount_reference(api::Router& router, const DocumentSources& sources);

}  // namespace synapsex::api_gateway
