#pragma once

#include "controlplane/platform/api/router.hpp"

namespace synapsex::agent_registry {

class AgentKeys;
class Agents;
class Enrollment;
class Heartbeats;
class InventoryReports;

void mount_routes(
    api::Router& router, Enrollment& enrollment, Heartbeats& heartbeats, Agents& agents,
    AgentKeys& keys, InventoryReports& inventory
);

}  // namespace synapsex::agent_registry
