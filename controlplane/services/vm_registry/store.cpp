#include "controlplane/services/vm_registry/store.hpp"

#include <array>

#include "controlplane/services/vm_registry/sample_chunk.hpp"

namespace synapsex::vm_registry {

namespace {

using db::Query;

constexpr Query kInsertVm{"vm_registry.insert_vm", R"sql(
    INSERT INTO vm_registry_vms (tenant_id, vm_id, agent_id, name, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $5)
    ON CONFLICT (tenant_id, vm_id) DO NOTHING RETURNING vm_id)sql"};

constexpr Query kFindVm{"vm_registry.find_vm", R"sql(
    SELECT tenant_id, vm_id, agent_id, name, state, last_seen_at, os, kernel, architecture,
           cpu_threads, memory_total_bytes, disk_total_bytes, packages, created_at, updated_at
    FROM vm_registry_vms WHERE tenant_id = $1 AND vm_id = $2)sql"};

constexpr Query kListVms{"vm_registry.list_vms", R"sql(
    SELECT tenant_id, vm_id, agent_id, name, state, last_seen_at, os, kernel, architecture,
           cpu_threads, memory_total_bytes, disk_total_bytes, packages, created_at, updated_at
    FROM vm_registry_vms
    WHERE tenant_id = $1 AND vm_id > $2 AND ($3 = '' OR state = $3) AND ($4 = '' OR name = $4)
    ORDER BY vm_id LIMIT $5)sql"};

constexpr Query kRenameVm{"vm_registry.rename_vm", R"sql(
    UPDATE vm_registry_vms SET name = $3, updated_at = $4
    WHERE tenant_id = $1 AND vm_id = $2)sql"};

constexpr Query kDeleteVm{"vm_registry.delete_vm", R"sql(
    DELETE FROM vm_registry_vms WHERE tenant_id = $1 AND vm_id = $2)sql"};
constexpr Query kDeleteSections{"vm_registry.delete_sections", R"sql(
    DELETE FROM vm_registry_sections WHERE tenant_id = $1 AND vm_id = $2)sql"};
constexpr Query kDeleteChunks{"vm_registry.delete_chunks", R"sql(
    DELETE FROM vm_registry_chunks WHERE tenant_id = $1 AND vm_id = $2)sql"};

constexpr Query kSetPresence{"vm_registry.set_presence", R"sql(
    UPDATE vm_registry_vms SET state = $3, last_seen_at = $4
    WHERE tenant_id = $1 AND vm_id = $2
        AND (last_seen_at IS NULL OR last_seen_at <= $4 OR last_seen_at > $5))sql"};

constexpr Query kUpdateOs{"vm_registry.update_os", R"sql(
    UPDATE vm_registry_vms SET os = $3, kernel = $4, architecture = $5, updated_at = $6
    WHERE tenant_id = $1 AND vm_id = $2)sql"};
constexpr Query kUpdateCpuThreads{"vm_registry.update_cpu_threads", R"sql(
    UPDATE vm_registry_vms SET cpu_threads = $3, updated_at = $4
    WHERE tenant_id = $1 AND vm_id = $2)sql"};
constexpr Query kUpdateMemory{"vm_registry.update_memory", R"sql(
    UPDATE vm_registry_vms SET memory_total_bytes = $3, updated_at = $4
    WHERE tenant_id = $1 AND vm_id = $2)sql"};
constexpr Query kUpdateDisks{"vm_registry.update_disks", R"sql(
    UPDATE vm_registry_vms SET disk_total_bytes = $3, updated_at = $4
    WHERE tenant_id = $1 AND vm_id = $2)sql"};
constexpr Query kUpdatePackages{"vm_registry.update_packages", R"sql(
    UPDATE vm_registry_vms SET packages = $3, updated_at = $4
    WHERE tenant_id = $1 AND vm_id = $2)sql"};

constexpr Query kPutSection{"vm_registry.put_section", R"sql(
    INSERT INTO vm_registry_sections (tenant_id, vm_id, section, hash, truncated, body, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (tenant_id, vm_id, section) DO UPDATE SET
        hash = excluded.hash, truncated = excluded.truncated, body = excluded.body,
        updated_at = excluded.updated_at)sql"};
// Those that this release knows: a newer one may have written others.
static_assert(enumerator_names<SectionName>().size() == 7);
constexpr Query kListSections{"vm_registry.list_sections", R"sql(
    SELECT section, hash, truncated, updated_at, public_key,
        CASE WHEN signed_hash = hash THEN signed_at END AS signed_at
    FROM vm_registry_sections
    WHERE tenant_id = $1 AND vm_id = $2
        AND section IN ('os', 'cpu', 'memory', 'disks', 'filesystems', 'network', 'packages')
    ORDER BY section)sql"};
constexpr Query kPutSignature{"vm_registry.put_signature", R"sql(
    UPDATE vm_registry_sections
    SET signed_hash = hash, signed_at = $4, public_key = $5, signature = $6, content = $7
    WHERE tenant_id = $1 AND vm_id = $2 AND section = $3)sql"};
constexpr Query kFindSignature{"vm_registry.find_signature", R"sql(
    SELECT signed_at, public_key, signature, content FROM vm_registry_sections
    WHERE tenant_id = $1 AND vm_id = $2 AND section = $3 AND signed_hash = hash
        AND signed_at IS NOT NULL AND content IS NOT NULL)sql"};
constexpr Query kFindSignedAt{"vm_registry.find_signed_at", R"sql(
    SELECT signed_at FROM vm_registry_sections
    WHERE tenant_id = $1 AND vm_id = $2 AND section = $3 AND signed_hash = hash
        AND signed_at IS NOT NULL)sql"};
constexpr Query kListShortBodies{"vm_registry.list_short_bodies", R"sql(
    SELECT section, body FROM vm_registry_sections
    WHERE tenant_id = $1 AND vm_id = $2
        AND section IN ('os', 'cpu', 'memory', 'disks', 'filesystems', 'network'))sql"};
constexpr Query kFindBody{"vm_registry.find_body", R"sql(
    SELECT section, body FROM vm_registry_sections
    WHERE tenant_id = $1 AND vm_id = $2 AND section = $3)sql"};

constexpr Query kFindChunk{"vm_registry.find_chunk", R"sql(
    SELECT first_slot, samples FROM vm_registry_chunks
    WHERE tenant_id = $1 AND vm_id = $2 AND first_slot = $3)sql"};
// Chunks that were set aside start at no multiple of kChunkSlots.
static_assert(kChunkSlots == 40);
constexpr Query kFindLatestChunk{"vm_registry.find_latest_chunk", R"sql(
    SELECT first_slot, samples FROM vm_registry_chunks
    WHERE tenant_id = $1 AND vm_id = $2 AND first_slot % 40 = 0
    ORDER BY first_slot DESC LIMIT 1)sql"};
constexpr Query kPutChunk{"vm_registry.put_chunk", R"sql(
    INSERT INTO vm_registry_chunks (tenant_id, vm_id, first_slot, samples) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, vm_id, first_slot) DO UPDATE SET samples = excluded.samples)sql"};
constexpr Query kListChunks{"vm_registry.list_chunks", R"sql(
    SELECT first_slot, samples FROM vm_registry_chunks
    WHERE tenant_id = $1 AND vm_id = $2 AND first_slot >= $3 AND first_slot <= $4
        AND first_slot % 40 = 0
    ORDER BY first_slot LIMIT $5)sql"};
constexpr Query kFindNewestSlot{"vm_registry.find_newest_slot", R"sql(
    SELECT first_slot FROM vm_registry_chunks ORDER BY first_slot DESC LIMIT 1)sql"};
constexpr Query kPruneChunks{"vm_registry.prune_chunks", R"sql(
    DELETE FROM vm_registry_chunks WHERE (tenant_id, vm_id, first_slot) IN (
        SELECT tenant_id, vm_id, first_slot FROM vm_registry_chunks
        WHERE first_slot < $1 ORDER BY first_slot LIMIT $2))sql"};

constexpr Query kCountRows{"vm_registry.count_rows", R"sql(
    SELECT 'vm_registry_chunks' AS "table", count(*) AS rows FROM vm_registry_chunks
    WHERE tenant_id = $1
    UNION ALL SELECT 'vm_registry_sections', count(*) FROM vm_registry_sections
    WHERE tenant_id = $1
    UNION ALL SELECT 'vm_registry_vms', count(*) FROM vm_registry_vms
    WHERE tenant_id = $1)sql"};
constexpr Query kPurgeChunks{"vm_registry.purge_chunks", R"sql(
    DELETE FROM vm_registry_chunks WHERE tenant_id = $1)sql"};
constexpr Query kPurgeSections{"vm_registry.purge_sections", R"sql(
    DELETE FROM vm_registry_sections WHERE tenant_id = $1)sql"};
constexpr Query kPurgeVms{"vm_registry.purge_vms", R"sql(
    DELETE FROM vm_registry_vms WHERE tenant_id = $1)sql"};

constexpr std::array kQueries{
    &kInsertVm,      &kFindVm,       &kListVms,      &kRenameVm,         &kDeleteVm,
    &kDeleteSections, &kDeleteChunks, &kSetPresence, &kUpdateOs,         &kUpdateCpuThreads,
    &kUpdateMemory,  &kUpdateDisks,  &kUpdatePackages, &kPutSection,     &kListSections,
    &kPutSignature, &kFindSignature, &kFindSignedAt,
    &kListShortBodies, &kFindBody, &kFindChunk,    &kFindLatestChunk, &kPutChunk,      &kListChunks,
    &kFindNewestSlot, &kPruneChunks, &kCountRows,   &kPurgeChunks,      &kPurgeSections,
    &kPurgeVms,
};

}  // namespace

std::span<const Query* const> VmStore::queries() { return kQueries; }

bool VmStore::insert(const NewVm& vm, Timestamp now) {
    return !session_.query(kInsertVm, vm.tenant_id, vm.vm_id, vm.agent_id, vm.name, now).empty();
}

std::optional<VmRow> VmStore::find(const TenantId& tenant, const VmId& vm) {
    return session_.find<VmRow>(kFindVm, tenant, vm);
}

std::vector<VmRow> VmStore::list(
    const TenantId& tenant, const VmFilter& filter, std::int64_t limit
) {
    return session_.list<VmRow>(
        kListVms, tenant, filter.after_vm_id, filter.state, filter.name, limit
    );
}

bool VmStore::rename(
    const TenantId& tenant, const VmId& vm, std::string_view name, Timestamp now
) {
    return session_.execute(kRenameVm, tenant, vm, name, now) == 1;
}

void VmStore::remove(const TenantId& tenant, const VmId& vm) {
    session_.execute(kDeleteChunks, tenant, vm);
    session_.execute(kDeleteSections, tenant, vm);
    session_.execute(kDeleteVm, tenant, vm);
}

std::vector<TableCount> VmStore::count_rows(const TenantId& tenant) {
    return session_.list<TableCount>(kCountRows, tenant);
}

void VmStore::remove_rows(const TenantId& tenant) {
    session_.execute(kPurgeChunks, tenant);
    session_.execute(kPurgeSections, tenant);
    session_.execute(kPurgeVms, tenant);
}

bool VmStore::set_presence(const Presence& presence, Timestamp now) {
    return session_.execute(
               kSetPresence, presence.tenant_id, presence.vm_id, presence.state,
               presence.last_seen_at, now
           ) == 1;
}

void VmStore::update_os(const TenantId& tenant, const VmId& vm, const Os& os, Timestamp now) {
    session_.execute(
        kUpdateOs, tenant, vm, os.pretty_name, os.kernel_release, os.architecture, now
    );
}

void VmStore::update_cpu_threads(
    const TenantId& tenant, const VmId& vm, std::int64_t threads, Timestamp now
) {
    session_.execute(kUpdateCpuThreads, tenant, vm, threads, now);
}

void VmStore::update_memory(
    const TenantId& tenant, const VmId& vm, std::int64_t bytes, Timestamp now
) {
    session_.execute(kUpdateMemory, tenant, vm, bytes, now);
}

void VmStore::update_disks(
    const TenantId& tenant, const VmId& vm, std::int64_t bytes, Timestamp now
) {
    session_.execute(kUpdateDisks, tenant, vm, bytes, now);
}

void VmStore::update_packages(
    const TenantId& tenant, const VmId& vm, std::int64_t count, Timestamp now
) {
    session_.execute(kUpdatePackages, tenant, vm, count, now);
}

void VmStore::put_section(
    const TenantId& tenant, const VmId& vm, const SectionRow& section, std::string_view body
) {
    session_.execute(
        kPutSection, tenant, vm, section.section, section.hash,
        static_cast<std::int64_t>(section.truncated), body, section.updated_at
    );
}

void VmStore::put_signature(
    const TenantId& tenant, const VmId& vm, SectionName section, const SectionSignatureRow& row
) {
    session_.execute(
        kPutSignature, tenant, vm, section, row.signed_at, row.public_key, row.signature,
        row.content
    );
}

std::optional<SectionSignatureRow> VmStore::find_signature(
    const TenantId& tenant, const VmId& vm, SectionName section
) {
    return session_.find<SectionSignatureRow>(kFindSignature, tenant, vm, section);
}

std::optional<Timestamp> VmStore::find_signed_at(
    const TenantId& tenant, const VmId& vm, SectionName section
) {
    const auto rows = session_.query(kFindSignedAt, tenant, vm, section);
    if (rows.empty()) return std::nullopt;
    return rows[0].get<Timestamp>("signed_at");
}

std::vector<SectionRow> VmStore::list_sections(const TenantId& tenant, const VmId& vm) {
    return session_.list<SectionRow>(kListSections, tenant, vm);
}

std::vector<SectionBodyRow> VmStore::list_short_bodies(const TenantId& tenant, const VmId& vm) {
    return session_.list<SectionBodyRow>(kListShortBodies, tenant, vm);
}

std::optional<SectionBodyRow> VmStore::find_body(
    const TenantId& tenant, const VmId& vm, SectionName section
) {
    return session_.find<SectionBodyRow>(kFindBody, tenant, vm, section);
}

std::optional<ChunkRow> VmStore::find_chunk(
    const TenantId& tenant, const VmId& vm, std::int64_t first_slot
) {
    return session_.find<ChunkRow>(kFindChunk, tenant, vm, first_slot);
}

std::optional<ChunkRow> VmStore::find_latest_chunk(const TenantId& tenant, const VmId& vm) {
    return session_.find<ChunkRow>(kFindLatestChunk, tenant, vm);
}

void VmStore::put_chunk(const TenantId& tenant, const VmId& vm, const ChunkRow& chunk) {
    session_.execute(kPutChunk, tenant, vm, chunk.first_slot, chunk.samples);
}

void VmStore::set_chunk_aside(const TenantId& tenant, const VmId& vm, const ChunkRow& chunk) {
    session_.execute(kPutChunk, tenant, vm, chunk.first_slot + 1, chunk.samples);
}

std::vector<ChunkRow> VmStore::list_chunks(
    const TenantId& tenant, const VmId& vm, std::int64_t from, std::int64_t to, std::int64_t limit
) {
    return session_.list<ChunkRow>(kListChunks, tenant, vm, from, to, limit);
}

std::optional<std::int64_t> VmStore::find_newest_slot() {
    const auto rows = session_.query(kFindNewestSlot);
    if (rows.empty()) return std::nullopt;
    return rows[0].get<std::int64_t>("first_slot");
}

std::int64_t VmStore::prune_chunks(std::int64_t before_slot, std::int64_t limit) {
    return session_.execute(kPruneChunks, before_slot, limit);
}

}  // namespace synapsex::vm_registry
