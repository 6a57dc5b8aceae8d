#pragma once

// The plugins behind the worker's ports.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/platform/system_facts.hpp"
#include "agent/plugins/inventory/inventory_collector.hpp"
#include "agent/plugins/telemetry/telemetry_sampler.hpp"
#include "agent/worker/ports.hpp"
#include "shared/base/time.hpp"

namespace synapsex::agent {

// Each has facts of its own: they are used by different threads.
class PluginTelemetry final : public TelemetrySource {
 public:
    PluginTelemetry(platform::SystemFacts& facts, const Clock& clock)
        : facts_(facts), clock_(clock) {}

    std::optional<EncodedSample> sample() override;

 private:
    platform::SystemFacts& facts_;
    const Clock& clock_;
    telemetry::TelemetrySampler sampler_;
};

class PluginInventory final : public InventorySource {
 public:
    PluginInventory(platform::SystemFacts& facts, const Clock& clock) : collector_(facts, clock) {}

    std::vector<std::string> sections() override;
    EncodedSection collect(const std::string& section) override;
    bool may_have_changed(const std::string& section) override;

 private:
    inventory::InventoryCollector collector_;
};

// Asks the executor over its socket, and again only after a while: it seldom comes or goes.
class SocketExecutorProbe final : public ExecutorProbe {
 public:
    SocketExecutorProbe(std::filesystem::path socket_path, const Clock& clock)
        : socket_path_(std::move(socket_path)), clock_(clock) {}

    State probe() override;

 private:
    std::filesystem::path socket_path_;
    const Clock& clock_;
    State last_ = State::unreachable;
    SteadyTime ask_again_at_{};
};

}  // namespace synapsex::agent
