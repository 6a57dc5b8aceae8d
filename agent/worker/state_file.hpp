#pragma once

// What the worker tells `synapsex-agent status`: a small JSON file in the run directory, replaced
// after every heartbeat. In memory on a normal system, so it costs no disk writes.

#include <filesystem>
#include <optional>
#include <string>

#include "agent/core/messages.hpp"

namespace synapsex::agent {

struct WorkerState {
    bool is_connected = false;
    Timestamp last_heartbeat_at{};  // the epoch: none was answered yet
    std::string last_problem;       // code of the last failure; empty while all is well
    std::uint64_t sequence = 0;
    Backlog backlog{};
    std::uint64_t dropped_samples = 0;
    std::string executor;
};

// Never fails: a status nobody can read must not stop the agent.
void write_state_file(const std::filesystem::path& path, const WorkerState& state);
std::optional<WorkerState> read_state_file(const std::filesystem::path& path);

}  // namespace synapsex::agent
