#pragma once

#include <memory>

#include "controlplane/platform/module.hpp"
#include "controlplane/services/audit/denials.hpp"

namespace synapsex::audit {

class AuditModule final : public Module {
 public:
    AuditModule(const Platform& platform, db::Database& database);
    ~AuditModule() override;

    const ServiceManifest& manifest() const override;
    void mount(api::Router& router) override;
    void start() override;
    void stop() override;
    std::vector<outbox::Consumer*> consumers() override;

    // For who refuses calls.
    Denials& denials();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace synapsex::audit
