#pragma once

#include "controlplane/services/api_gateway/documents.hpp"
#include "controlplane/services/api_gateway/receipts.hpp"
#include "controlplane/services/api_gateway/request_limits.hpp"

namespace synapsex::api_gateway {

class ApiGatewayModule final : public Module {
 public:
    // For `address_requests_per_minute` see request_limits.hpp.
    ApiGatewayModule(
        DocumentSources sources, const Clock& clock, std::int64_t address_requests_per_minute
    )
        : sources_(std::move(sources)),
          limits_(clock, address_requests_per_minute),
          receipts_(clock) {}

    const ServiceManifest& manifest() const override;
    // Mounted last, so that the reference describes every other service.
    void mount(api::Router& router) override;

    // For the gateway, which counts by the one and keeps in the other what /v1/requests tells.
    RequestLimits& limits() { return limits_; }
    Receipts& receipts() { return receipts_; }

 private:
    DocumentSources sources_;
    RequestLimits limits_;
    Receipts receipts_;
};

}  // namespace synapsex::api_gateway
