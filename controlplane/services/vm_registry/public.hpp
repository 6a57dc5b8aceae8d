#pragma once

// What other services may ask of vm-registry-service. It owns VMs, their inventory and their
// telemetry; it knows nothing of agents' keys, tokens and connections.

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "controlplane/platform/auth/call.hpp"
#include "controlplane/services/vm_registry/inventory.hpp"
#include "shared/base/result.hpp"

namespace synapsex::vm_registry {

struct NewVm {
    TenantId tenant_id;
    VmId vm_id;
    AgentId agent_id;
    std::string name;
};

struct Presence {
    TenantId tenant_id;
    VmId vm_id;
    State state = State::unknown;
    std::optional<Timestamp> last_seen_at;
};

// What became of samples that were in order.
enum class Taken {
    stored,
    not_now,  // the disk is nearly full; nothing may be acknowledged
};

class VmDirectory {
 public:
    virtual ~VmDirectory() = default;

    // Repeatable: an id that exists is left as it is.
    virtual Result<Done> create_vm(const Call& call, const NewVm& vm) = 0;
    // With inventory and telemetry. Repeatable.
    virtual Result<Done> delete_vm(const Call& call, const TenantId& tenant, const VmId& vm) = 0;
    virtual Result<Done> rename_vm(
        const Call& call, const TenantId& tenant, const VmId& vm, std::string_view name
    ) = 0;

    // Commits the samples, each slot once: one that is stored already stays. Ascending by slot, at
    // most kSamplesMax. Samples further than an hour in the future or older than the retention are
    // counted and dropped, else an agent with a broken clock would send them forever.
    static constexpr std::size_t kSamplesMax = vm_registry::kSamplesMax;
    virtual Result<Taken> store_samples(
        const Call& call, const TenantId& tenant, const VmId& vm,
        std::span<const TelemetrySample> samples
    ) = 0;

    // The signature was checked. Kind::conflict inventory.older: what is stored was signed later;
    // a time that is still to come was a clock's mistake and keeps nothing from being told.
    virtual Result<Done> put_section(
        const Call& call, const TenantId& tenant, const VmId& vm, const Section& section
    ) = 0;
    // The hash of each stored section that is signed, by its name: others are to be sent anew.
    virtual Result<std::map<std::string, std::string>> section_hashes(
        const Call& call, const TenantId& tenant, const VmId& vm
    ) = 0;

    // States of many VMs in one transaction; VMs that are gone are skipped.
    virtual Result<Done> set_presence(const Call& call, std::span<const Presence> changes) = 0;

    // Where it is known better than in the database when an agent was last heard of: from memory,
    // any thread; nullopt: not here. Set once, before serving.
    using LastSeen = std::function<std::optional<Timestamp>(const VmId&)>;
    virtual void set_last_seen_source(LastSeen source) = 0;

    // Until when somebody watches this VM live; from memory, any thread.
    virtual Timestamp live_until(const VmId& vm) = 0;
    // Called when somebody starts to watch. Set once, before serving.
    virtual void on_watched(std::function<void(const VmId&)> callback) = 0;
};

}  // namespace synapsex::vm_registry
