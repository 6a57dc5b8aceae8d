#pragma once

#include <memory>

#include "controlplane/platform/module.hpp"

namespace synapsex::_template {

class Notes;

class TemplateModule final : public Module {
 public:
    TemplateModule(const Platform& platform, db::Database& database);
    ~TemplateModule() override;

    const ServiceManifest& manifest() const override;
    void mount(api::Router& router) override;

 private:
    std::unique_ptr<Notes> notes_;
};

}  // namespace synapsex::_template
