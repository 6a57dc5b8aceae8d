#pragma once

// InventorySection of shared/proto/agent/v1/agent.proto, from the structs of the inventory plugin.
// The hash is the first 32 hex digits of the SHA-256 of the bytes.

#include "agent/core/messages.hpp"
#include "agent/plugins/inventory/sections.hpp"
#include "shared/crypto/ed25519.hpp"

namespace synapsex::agent {

// The texts of `section` are valid UTF-8 (InventoryCollector sees to it).
EncodedSection encode_section(const inventory::Section& section);

// SignedSection, with the key's signature over crypto::SectionReport.
std::string encode_signed(const ReportedSection& report, const crypto::Ed25519Key& key);

}  // namespace synapsex::agent
