#pragma once

// Reading the audit log.

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/audit/api.hpp"
#include "shared/base/random.hpp"

namespace synapsex::audit {

// Entries that one page looks through.
inline constexpr std::int64_t kScannedMax = 50'000;
// Of an answer of an export, about.
inline constexpr std::size_t kExportBytesMax = std::size_t{4} * 1024 * 1024;

class AuditLog {
 public:
    AuditLog(db::Database& database, const Clock& clock, Random& random)
        : database_(database), clock_(clock), random_(random) {}

    // Kind::invalid audit.range_invalid.
    Result<EntryPage> list(const Call& call, const ListEntries& wish);
    // Kind::not_found audit.entry_not_found.
    Result<AuditEntry> get(const Call& call, const EntryPath& path);
    // Tells of itself before it reads. Kind::invalid audit.range_invalid.
    Result<api::Lines<AuditEntry>> export_entries(const Call& call, const ExportEntries& wish);

 private:
    Result<Done> tell_of_export(const Call& call, const ExportEntries& wish);

    db::Database& database_;
    const Clock& clock_;
    Random& random_;
};

}  // namespace synapsex::audit
