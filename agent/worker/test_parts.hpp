#pragma once

// Stand-ins for the machine around the worker.

#include <optional>
#include <string>
#include <vector>

#include "agent/worker/ports.hpp"

namespace synapsex::agent::testing {

// Takes no samples of its own accord: tests put them into the spool.
class NoTelemetry final : public TelemetrySource {
 public:
    std::optional<EncodedSample> sample() override { return std::nullopt; }
};

class FakeInventory final : public InventorySource {
 public:
    std::vector<std::string> sections() override { return {"cpu", "os"}; }
    EncodedSection collect(const std::string& section) override {
        return {.hash = "hash-of-" + section, .bytes = "bytes-of-" + section};
    }
    bool may_have_changed(const std::string&) override { return false; }
};

class FakeExecutor final : public ExecutorProbe {
 public:
    State probe() override { return State::unprivileged; }
};

}  // namespace synapsex::agent::testing
