#pragma once

// What the worker needs from the machine around it. The plugins and the executor stand behind these
// in the real agent (agent/app/plugin_sources.hpp), scripted stand-ins in the tests.

#include <optional>
#include <string>
#include <vector>

#include "agent/core/messages.hpp"

namespace synapsex::agent {

// Used by the sampler's thread alone.
class TelemetrySource {
 public:
    virtual ~TelemetrySource() = default;
    // Called just after each slot has begun: the sample of the slot that ended, if there is one.
    virtual std::optional<EncodedSample> sample() = 0;
};

// Used by one thread, which it may keep waiting: what it asks may hang.
class InventorySource {
 public:
    virtual ~InventorySource() = default;
    virtual std::vector<std::string> sections() = 0;
    virtual EncodedSection collect(const std::string& section) = 0;
    // Whether a new look at the section can differ from the last one. Cheap.
    virtual bool may_have_changed(const std::string& section) = 0;
};

class ExecutorProbe {
 public:
    enum class State { unreachable, unprivileged, privileged };

    virtual ~ExecutorProbe() = default;
    // Within a second.
    virtual State probe() = 0;
};

}  // namespace synapsex::agent
