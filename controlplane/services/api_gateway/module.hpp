#pragma once

#include "controlplane/services/api_gateway/documents.hpp"

namespace synapsex::api_gateway {

class ApiGatewayModule final : public Module {
 public:
    explicit ApiGatewayModule(DocumentSources sources) : sources_(std::move(sources)) {}

    const ServiceManifest& manifest() const override;
    // Mounted last, so that the reference describes every other service.
    void mount(api::Router& router) override;

 private:
    DocumentSources sources_;
};

}  // namespace synapsex::api_gateway
