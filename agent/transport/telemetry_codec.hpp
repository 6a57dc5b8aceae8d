#pragma once

// TelemetrySample of shared/proto/agent/v1/agent.proto, from the struct of the telemetry plugin.
// The bytes are what the spool keeps and a heartbeat carries.

#include <optional>
#include <string_view>

#include "agent/core/messages.hpp"
#include "agent/plugins/telemetry/telemetry_sample.hpp"

namespace synapsex::agent {

EncodedSample encode_sample(const telemetry::TelemetrySample& sample);
// nullopt for bytes that are no sample.
std::optional<telemetry::TelemetrySample> decode_sample(std::string_view bytes);

}  // namespace synapsex::agent
