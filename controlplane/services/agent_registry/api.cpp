#include "controlplane/services/agent_registry/api_docs.hpp"

#include "controlplane/platform/api/codec_impl.hpp"

namespace synapsex {

using namespace agent_registry;

template struct api::Codec<CreateEnrollmentToken>;
template struct api::Codec<CreatedEnrollmentToken>;
template struct api::Codec<ProveTime>;
template struct api::Codec<ProvenTime>;
template struct api::Codec<ListEnrollmentTokens>;
template struct api::Codec<EnrollmentTokenPage>;
template struct api::Codec<EnrollmentTokenPath>;
template struct api::Codec<Enroll>;
template struct api::Codec<Enrolled>;
template struct api::Codec<ListAgents>;
template struct api::Codec<AgentList>;
template struct api::Codec<AgentPath>;
template struct api::Codec<Agent>;
template struct api::Codec<UpdateAgent>;
template struct api::Codec<Removed>;
template struct api::Codec<Heartbeat>;
template struct api::Codec<HeartbeatAnswer>;
template struct api::Codec<KeyWanted>;
template struct api::Codec<PutKey>;
template struct api::Codec<KeyTaken>;
template struct api::Codec<PutInventory>;
template struct api::Codec<InventoryContent>;

}  // namespace synapsex
