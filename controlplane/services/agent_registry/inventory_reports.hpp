#pragma once

// What agents say of their VMs, taken from them only if it is signed with their key: who has an
// access token of an agent, and no more, reports nothing.

#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/agent_registry/api.hpp"
#include "controlplane/services/vm_registry/public.hpp"

namespace synapsex::agent_registry {

class InventoryReports {
 public:
    struct Parts {  // all outlive it
        db::Database& database;
        const Clock& clock;
        vm_registry::VmDirectory& vms;
    };
    explicit InventoryReports(const Parts& parts) : parts_(parts) {}

    // Kind::not_found agents.not_found unless the caller is the agent of the path;
    // Kind::unprocessable inventory.signature_invalid, inventory.signature_skewed (not within
    // kSigningSkewMax of now); Kind::conflict inventory.older; Kind::invalid for content that is
    // not what the path says.
    Result<api::None> put(const Call& call, const PutInventory& wish);

 private:
    // With the key that signed it.
    Result<vm_registry::SectionSignature> verify(const Call& call, const PutInventory& wish);

    Parts parts_;
};

}  // namespace synapsex::agent_registry
