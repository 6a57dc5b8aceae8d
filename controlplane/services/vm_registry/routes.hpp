#pragma once

#include "controlplane/platform/api/router.hpp"

namespace synapsex::vm_registry {

class VmRegistry;
void mount_routes(api::Router& router, VmRegistry& vms);

}  // namespace synapsex::vm_registry
