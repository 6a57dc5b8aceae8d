#pragma once

#include <memory>

#include "controlplane/platform/module.hpp"
#include "controlplane/platform/tenant_purge.hpp"
#include "controlplane/services/vm_registry/public.hpp"

namespace synapsex::vm_registry {

class VmRegistry;

class VmRegistryModule final : public Module {
 public:
    VmRegistryModule(const Platform& platform, db::Database& database);
    ~VmRegistryModule() override;

    VmDirectory& directory();
    TenantPurge& purge();

    const ServiceManifest& manifest() const override;
    void mount(api::Router& router) override;
    void start() override;
    void stop() override;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace synapsex::vm_registry
