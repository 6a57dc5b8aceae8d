#include "controlplane/services/_template/module.hpp"

#include <array>

#include "controlplane/services/_template/migrations.hpp"
#include "controlplane/services/_template/routes.hpp"
#include "controlplane/services/_template/service.hpp"
#include "controlplane/services/_template/store.hpp"

namespace synapsex::_template {

namespace {

constexpr std::array<std::string_view, 1> kPrefixes{"/v1/_template"};
constexpr std::array kTables{
    db::Table{
        .name = "_template_notes",
        .growth = db::Growth::bounded,
        .kept = "one for each note",
    },
};

const ServiceManifest kManifest{
    .name = "template-service",
    .port = 8999,
    .prefixes = kPrefixes,
    .table_prefix = "_template_",
    .migrations = kMigrations,
    .queries = NoteStore::queries(),
    .tables = kTables,
};

}  // namespace

TemplateModule::TemplateModule(const Platform& platform, db::Database& database)
    : notes_(std::make_unique<Notes>(database, platform.clock, platform.random)) {}
TemplateModule::~TemplateModule() = default;

const ServiceManifest& TemplateModule::manifest() const { return kManifest; }

void TemplateModule::mount(api::Router& router) { mount_routes(router, *notes_); }

}  // namespace synapsex::_template
