#pragma once

// What the worker tells `synapsex-agent status`: a small JSON file in the run directory, replaced
// after every heartbeat. In memory on a normal system, so it costs no disk writes; on any other
// nobody waits for them.

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "agent/core/messages.hpp"
#include "agent/threads/side_thread.hpp"

namespace synapsex::agent {

struct WorkerState {
    bool is_connected = false;
    Timestamp last_heartbeat_at{};  // the epoch: none was answered yet
    std::string last_problem;       // code of the last failure; empty while all is well
    std::string last_problem_detail;  // for people
    Timestamp asks_again_at{};        // the epoch: soon
    std::string key_id;               // of the key that signs
    std::uint64_t sequence = 0;
    Backlog backlog{};
    std::uint64_t dropped_samples = 0;
    bool is_spool_in_memory = false;  // its file cannot be used
    std::string executor;
    bool is_time_disputed = false;  // samples wait: the clocks of agent and server disagree
    std::chrono::seconds clock_ahead{};  // of the server's, as it said last
    bool is_time_proven = false;  // its certificate was held to the time that the server proved
};

// Never fails: a status nobody can read must not stop the agent.
void write_state_file(const std::filesystem::path& path, const WorkerState& state);
std::optional<WorkerState> read_state_file(const std::filesystem::path& path);

// Writes states on a thread of its own. While the disk hangs only the newest one waits for it.
class StateWriter {
 public:
    explicit StateWriter(std::filesystem::path path) : path_(std::move(path)) {}

    void write(WorkerState state);

 private:
    void write_newest();

    const std::filesystem::path path_;
    std::mutex mutex_;
    std::optional<WorkerState> newest_;  // not written yet
    SideThread thread_;                  // last: it ends before what it uses
};

}  // namespace synapsex::agent
