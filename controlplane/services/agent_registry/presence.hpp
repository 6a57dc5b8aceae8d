#pragma once

// Which agents live. Kept in memory: a heartbeat touches no row. Decides without I/O; the flush in
// heartbeats.cpp writes what sweep() returns.

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "controlplane/services/agent_registry/store.hpp"

namespace synapsex::agent_registry {

enum class Connectivity { unknown, online, late, offline, lost };
enum class Condition { ok, degraded };
enum class Activity { none, updating, rebooting };
enum class Admission { active, pending, quarantined };

// The one table that makes the four into the single state that /v1 shows.
State combine(
    Connectivity connectivity, Condition condition, Activity activity, Admission admission
);

inline constexpr std::chrono::seconds kLateAfter{150};
inline constexpr std::chrono::seconds kOfflineAfter{300};
inline constexpr std::chrono::hours kLostAfter{24};
// After a start, or when agents are taken over, nobody is called late before an agent that lives
// had time to come back: the longest hold (55 s) and the longest back-off (120 s).
inline constexpr std::chrono::seconds kStartGrace{180};
// An agent that did not change is written this often, for its last_seen_at.
inline constexpr std::chrono::minutes kWriteUnchangedAfter{5};
// A reboot that takes longer is no reboot any more.
inline constexpr std::chrono::minutes kRebootMax{15};

// What one heartbeat says of its agent.
struct Contact {
    std::int64_t sequence = 0;
    std::string version{};
    std::string capabilities{};
    std::string boot_id{};
    Condition condition = Condition::ok;
    std::string goodbye{};  // empty: it stays
    std::optional<Pause> pause{};
};

struct PresenceChange {
    Sighting sighting;
    VmId vm_id;
    bool is_state_new = false;
    std::string heard_by;   // the replica that has the agent as far as is known
    bool is_claim = false;  // it was heard of here just now, whoever had it
};

// The agents that this replica heard of last (custody.hpp). Any thread.
class PresenceBook {
 public:
    // `replica` names this process among those on the database.
    explicit PresenceBook(const Clock& clock, std::string replica = {})
        : clock_(clock), replica_(std::move(replica)) {}

    const std::string& replica() const { return replica_; }

    // What the database knows, at start: shown as unknown until contact or the grace is over.
    void load(const std::vector<AgentRow>& agents);
    // An agent that is known stays as it is.
    void add(const AgentRow& agent);
    void remove(const AgentId& agent);
    bool knows(const AgentId& agent) const;

    // An operator wants the agent to replace its key, or does no more. Nothing for an agent that is
    // not known.
    void set_key_wanted(const AgentId& agent, bool is_wanted);
    bool is_key_wanted(const AgentId& agent) const;

    // Agents whose replica is gone: as load.
    void adopt(const std::vector<AgentRow>& agents);
    // Others may have taken agents over: each that calls is this replica's anew.
    void doubt();

    // True if there is something to write at once. False also for an agent that is not known.
    bool contact(const AgentId& agent, Contact contact);
    // The agent's poll is still open, or just ended in order. Nothing else about it changed.
    void touch(const AgentId& agent);
    // Touches every agent whose poll is open.
    void touch_open(const std::function<bool(const AgentId&)>& is_open);

    // What has to be written: new states at once, the rest now and then.
    std::vector<PresenceChange> sweep();
    // They were written, and the agents are this replica's; those refused are another's, or were
    // removed, and are forgotten, unless they called again meanwhile.
    void keep(std::span<const PresenceChange> written);
    void let_go(std::span<const PresenceChange> refused);
    // The changes could not be written: sweep returns them again.
    void put_back(std::span<const PresenceChange> changes);

    State state_of(const AgentId& agent) const;
    // nullopt: not since the start of this process.
    std::optional<Timestamp> last_seen(const AgentId& agent) const;
    // Agents in the state, as last swept. Takes no lock and walks nothing.
    std::size_t count(State state) const { return counter(state); }

 private:
    static constexpr std::size_t kStates = enumerator_names<State>().size();

    struct Entry {
        Sighting sighting;  // as last written, but for what changed since
        VmId vm_id;
        std::string heard_by;  // as last written
        std::int64_t heard_sequence = -1;  // of the last heartbeat here
        SteadyTime known_at{};
        SteadyTime contact_at{};
        SteadyTime written_at{};
        bool has_contact = false;  // since the start of this process
        bool has_said_goodbye = false;
        bool is_claim = false;
        bool is_key_wanted = false;
        bool is_dirty = false;     // more than last_seen_at changed since the last write
        Condition condition = Condition::ok;
        Activity activity = Activity::none;
        Admission admission = Admission::active;
    };
    bool is_continued(const Entry& entry, std::int64_t sequence) const;
    void erase(std::unordered_map<AgentId, Entry>::iterator found);
    void touch_entry(Entry& entry);
    State state_now(const Entry& entry) const;
    std::atomic<std::size_t>& counter(State state) {
        return counts_.at(static_cast<std::size_t>(state));
    }
    const std::atomic<std::size_t>& counter(State state) const {
        return counts_.at(static_cast<std::size_t>(state));
    }

    const Clock& clock_;
    const std::string replica_;
    mutable std::mutex mutex_;
    std::unordered_map<AgentId, Entry> entries_;
    std::array<std::atomic<std::size_t>, kStates> counts_{};  // of entries_, by sighting.state
};

}  // namespace synapsex::agent_registry
