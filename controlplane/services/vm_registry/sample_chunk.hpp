#pragma once

// Telemetry samples of one VM packed into the bytes of one row: about 30 bytes a sample instead of
// 500 as JSON.

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/services/vm_registry/inventory.hpp"

namespace synapsex::vm_registry {

// Slots of one chunk: 10 minutes.
inline constexpr std::int64_t kChunkSlots = 40;

constexpr std::int64_t chunk_of(std::int64_t slot) { return slot / kChunkSlots * kChunkSlots; }

// The stored bytes are none that pack_samples made.
class BrokenChunk : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

// Samples ascending by slot.
std::string pack_samples(std::span<const TelemetrySample> samples);
// Throws BrokenChunk.
std::vector<TelemetrySample> unpack_samples(std::string_view bytes);

// Both ascending by slot; where both have a slot, the one that is stored stays.
std::vector<TelemetrySample> merge_samples(
    std::span<const TelemetrySample> stored, std::span<const TelemetrySample> added
);

}  // namespace synapsex::vm_registry
