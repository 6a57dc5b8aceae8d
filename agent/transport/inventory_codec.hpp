#pragma once

// InventorySection of shared/proto/agent/v1/agent.proto, from the structs of the inventory plugin.
//
// The hash is the first 32 hex digits of the SHA-256 of the section's serialization without the
// hash, in the order of field numbers; the bytes are that serialization followed by the hash.
// Whoever receives them can clear the hash, serialize again and compare.

#include "agent/core/messages.hpp"
#include "agent/plugins/inventory/sections.hpp"

namespace synapsex::agent {

// The texts of `section` are valid UTF-8 (InventoryCollector sees to it).
EncodedSection encode_section(const inventory::Section& section);

}  // namespace synapsex::agent
