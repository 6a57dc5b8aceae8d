#include "controlplane/services/audit/routes.hpp"

#include "controlplane/services/audit/service.hpp"

namespace synapsex::audit {

void mount_routes(api::Router& router, AuditLog& log) {
    router.mount(kListEntries, [&log](const Call& call, const ListEntries& wish) {
        return log.list(call, wish);
    });
    router.mount(kGetEntry, [&log](const Call& call, const EntryPath& path) {
        return log.get(call, path);
    });
    router.mount(kExportEntries, [&log](const Call& call, const ExportEntries& wish) {
        return log.export_entries(call, wish);
    });
}

}  // namespace synapsex::audit
