#pragma once

// The SQL of vm-registry-service. No rules, no clock.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/tenant_purge.hpp"
#include "controlplane/services/vm_registry/public.hpp"

namespace synapsex::vm_registry {

struct VmRow {
    TenantId tenant_id;
    VmId vm_id;
    AgentId agent_id;
    std::string name;
    State state = State::unknown;
    std::optional<Timestamp> last_seen_at;
    std::string os;
    std::string kernel;
    std::string architecture;
    std::int64_t cpu_threads = 0;
    std::int64_t memory_total_bytes = 0;
    std::int64_t disk_total_bytes = 0;
    std::int64_t packages = 0;
    Timestamp created_at{};
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(
    VmRow, (),
    (tenant_id, vm_id, agent_id, name, state, last_seen_at, os, kernel, architecture, cpu_threads,
     memory_total_bytes, disk_total_bytes, packages, created_at, updated_at)
)

struct SectionRow {
    SectionName section = SectionName::os;
    std::string hash;
    bool truncated = false;
    Timestamp updated_at{};
    std::optional<Timestamp> signed_at{};  // none: by an agent of a release that did not sign
    std::string public_key{};              // base64url
};
BOOST_DESCRIBE_STRUCT(
    SectionRow, (), (section, hash, truncated, updated_at, signed_at, public_key)
)

struct SectionSignatureRow {
    std::optional<Timestamp> signed_at{};
    std::string public_key;  // base64url
    std::string signature;   // base64url
    db::Blob content;
};
BOOST_DESCRIBE_STRUCT(SectionSignatureRow, (), (signed_at, public_key, signature, content))

struct SectionBodyRow {
    SectionName section = SectionName::os;
    std::string body;  // JSON
};
BOOST_DESCRIBE_STRUCT(SectionBodyRow, (), (section, body))

struct ChunkRow {
    std::int64_t first_slot = 0;
    db::Blob samples;
};
BOOST_DESCRIBE_STRUCT(ChunkRow, (), (first_slot, samples))

// Which VMs a list shows; empty members do not narrow it.
struct VmFilter {
    std::string after_vm_id;
    std::string state;
    std::string name;
};

class VmStore {
 public:
    explicit VmStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // False: the id exists.
    bool insert(const NewVm& vm, Timestamp now);
    std::optional<VmRow> find(const TenantId& tenant, const VmId& vm);
    // By id, at most `limit`.
    std::vector<VmRow> list(const TenantId& tenant, const VmFilter& filter, std::int64_t limit);
    bool rename(const TenantId& tenant, const VmId& vm, std::string_view name, Timestamp now);
    // The VM with its sections and chunks.
    void remove(const TenantId& tenant, const VmId& vm);
    // All that is here of a tenant.
    std::vector<TableCount> count_rows(const TenantId& tenant);
    void remove_rows(const TenantId& tenant);
    // False also if the VM was seen later than that: what a replica tells late is old. A time that
    // is still to come at `now` was a clock's mistake and keeps nothing from being told.
    bool set_presence(const Presence& presence, Timestamp now);

    void update_os(const TenantId& tenant, const VmId& vm, const Os& os, Timestamp now);
    void update_cpu_threads(
        const TenantId& tenant, const VmId& vm, std::int64_t threads, Timestamp now
    );
    void update_memory(const TenantId& tenant, const VmId& vm, std::int64_t bytes, Timestamp now);
    void update_disks(const TenantId& tenant, const VmId& vm, std::int64_t bytes, Timestamp now);
    void update_packages(const TenantId& tenant, const VmId& vm, std::int64_t count, Timestamp now);

    void put_section(
        const TenantId& tenant, const VmId& vm, const SectionRow& section, std::string_view body
    );
    // Of a section that is stored.
    void put_signature(
        const TenantId& tenant, const VmId& vm, SectionName section, const SectionSignatureRow& row
    );
    // nullopt also for a section that is not signed.
    std::optional<SectionSignatureRow> find_signature(
        const TenantId& tenant, const VmId& vm, SectionName section
    );
    std::optional<Timestamp> find_signed_at(
        const TenantId& tenant, const VmId& vm, SectionName section
    );
    std::vector<SectionRow> list_sections(const TenantId& tenant, const VmId& vm);
    // All but packages, the one that is long.
    std::vector<SectionBodyRow> list_short_bodies(const TenantId& tenant, const VmId& vm);
    std::optional<SectionBodyRow> find_body(
        const TenantId& tenant, const VmId& vm, SectionName section
    );

    std::optional<ChunkRow> find_chunk(
        const TenantId& tenant, const VmId& vm, std::int64_t first_slot
    );
    std::optional<ChunkRow> find_latest_chunk(const TenantId& tenant, const VmId& vm);
    void put_chunk(const TenantId& tenant, const VmId& vm, const ChunkRow& chunk);
    // Keeps the bytes under a slot at which no chunk starts, where nothing here reads them and
    // prune_chunks finds them; the chunk itself is then to be put anew.
    void set_chunk_aside(const TenantId& tenant, const VmId& vm, const ChunkRow& chunk);
    // Chunks that start in [from, to], ascending, at most `limit`.
    std::vector<ChunkRow> list_chunks(
        const TenantId& tenant, const VmId& vm, std::int64_t from, std::int64_t to,
        std::int64_t limit
    );
    // Where the newest chunk of all tenants starts.
    std::optional<std::int64_t> find_newest_slot();
    // Chunks of all tenants that start before the slot; at most `limit`. Returns how many.
    std::int64_t prune_chunks(std::int64_t before_slot, std::int64_t limit);

 private:
    db::Session& session_;
};

}  // namespace synapsex::vm_registry
