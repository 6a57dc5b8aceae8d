#pragma once

// The rules of vm-registry-service.

#include <mutex>
#include <unordered_map>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/metrics.hpp"
#include "controlplane/services/vm_registry/api.hpp"
#include "controlplane/services/vm_registry/public.hpp"

namespace synapsex::vm_registry {

struct ChunkRow;
struct VmRow;

// Telemetry older than this is pruned, and not stored any more.
inline constexpr std::chrono::days kTelemetryRetention{30};
// How far a VM's clock may be ahead before its samples are dropped.
inline constexpr std::chrono::hours kClockAheadMax{1};

class VmRegistry final : public VmDirectory {
 public:
    VmRegistry(db::Database& database, const Clock& clock, Metrics& metrics);

    Result<VmPage> list(const Call& call, const ListVms& wish);
    Result<Vm> get(const Call& call, const VmPath& path);
    Result<PackagePage> list_packages(const Call& call, const ListPackages& wish);
    // Kind::not_found inventory.unsigned: there is no such section, or none that is signed.
    Result<SignedSection> signed_section(const Call& call, const SectionPath& path);
    Result<TelemetryPage> read_telemetry(const Call& call, const ReadTelemetry& wish);
    Result<Watching> watch(const Call& call, const WatchVm& wish);

    // Deletes what is past its retention, as far as the deadline lets it; returns how many rows.
    // The retention ends at the newest sample of all, or now if that is earlier.
    std::int64_t prune(const Call& call);

    Result<Done> create_vm(const Call& call, const NewVm& vm) override;
    Result<Done> delete_vm(const Call& call, const TenantId& tenant, const VmId& vm) override;
    Result<Done> rename_vm(
        const Call& call, const TenantId& tenant, const VmId& vm, std::string_view name
    ) override;
    Result<Taken> store_samples(
        const Call& call, const TenantId& tenant, const VmId& vm,
        std::span<const TelemetrySample> samples
    ) override;
    Result<Done> put_section(
        const Call& call, const TenantId& tenant, const VmId& vm, const Section& section
    ) override;
    Result<std::map<std::string, std::string>> section_hashes(
        const Call& call, const TenantId& tenant, const VmId& vm
    ) override;
    Result<Done> set_presence(const Call& call, std::span<const Presence> changes) override;
    void set_last_seen_source(LastSeen source) override { last_seen_ = std::move(source); }
    Timestamp live_until(const VmId& vm) override;
    void on_watched(std::function<void(const VmId&)> callback) override;

 private:
    VmSummary summary_of(const VmRow& row, const std::optional<ChunkRow>& latest) const;
    // Those within the bounds of time; counts the others.
    std::vector<TelemetrySample> keep_plausible(std::span<const TelemetrySample> samples);

    db::Database& database_;
    const Clock& clock_;
    Counter& samples_stored_;
    Counter& samples_dropped_;
    LastSeen last_seen_;
    std::function<void(const VmId&)> on_watched_;
    std::mutex mutex_;
    std::unordered_map<VmId, Timestamp> live_until_;
};

}  // namespace synapsex::vm_registry
