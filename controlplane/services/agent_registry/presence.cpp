#include "controlplane/services/agent_registry/presence.hpp"

#include <utility>

namespace synapsex::agent_registry {

// admission    connectivity    activity   condition   state
// quarantined  any             any        any         quarantined
// pending      any             any        any         pending
// active       unknown         any        any         unknown
// active       lost            any        any         lost
// active       online, late,   updating   any         updating
// active         offline       rebooting  any         rebooting
// active       online          none       degraded    degraded
// active       online          none       ok          online
// active       late            none       any         late
// active       offline         none       any         offline
State combine(
    Connectivity connectivity, Condition condition, Activity activity, Admission admission
) {
    if (admission == Admission::quarantined) return State::quarantined;
    if (admission == Admission::pending) return State::pending;
    if (connectivity == Connectivity::unknown) return State::unknown;
    if (connectivity == Connectivity::lost) return State::lost;
    if (activity == Activity::updating) return State::updating;
    if (activity == Activity::rebooting) return State::rebooting;
    if (connectivity == Connectivity::late) return State::late;
    if (connectivity == Connectivity::offline) return State::offline;
    return condition == Condition::degraded ? State::degraded : State::online;
}

void PresenceBook::load(const std::vector<AgentRow>& agents) {
    for (const auto& agent : agents) add(agent);
}

void PresenceBook::add(const AgentRow& agent) {
    Entry entry;
    entry.sighting = {
        agent.tenant_id, agent.agent_id, agent.state,        agent.last_seen_at,
        agent.last_sequence, agent.version, agent.capabilities, agent.boot_id,
        pause_of(agent),
    };
    entry.vm_id = agent.vm_id;
    entry.heard_by = agent.heard_by;
    entry.is_key_wanted = agent.key_wanted_at.has_value();
    entry.known_at = clock_.steady_now();
    entry.contact_at = clock_.steady_now();
    entry.written_at = clock_.steady_now();
    // The VM's row is another service's: it is told once, whatever it holds.
    entry.is_dirty = true;
    const std::lock_guard lock{mutex_};
    if (entries_.try_emplace(agent.agent_id, std::move(entry)).second) ++counter(agent.state);
}

void PresenceBook::remove(const AgentId& agent) {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(agent);
    if (found != entries_.end()) erase(found);
}

void PresenceBook::erase(std::unordered_map<AgentId, Entry>::iterator found) {
    --counter(found->second.sighting.state);
    entries_.erase(found);
}

bool PresenceBook::knows(const AgentId& agent) const {
    const std::lock_guard lock{mutex_};
    return entries_.contains(agent);
}

void PresenceBook::set_key_wanted(const AgentId& agent, bool is_wanted) {
    const std::lock_guard lock{mutex_};
    if (const auto found = entries_.find(agent); found != entries_.end())
        found->second.is_key_wanted = is_wanted;
}

bool PresenceBook::is_key_wanted(const AgentId& agent) const {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(agent);
    return found != entries_.end() && found->second.is_key_wanted;
}

void PresenceBook::adopt(const std::vector<AgentRow>& agents) {
    load(agents);
    const std::lock_guard lock{mutex_};
    for (const auto& agent : agents)
        if (const auto found = entries_.find(agent.agent_id); found != entries_.end())
            found->second.heard_by = agent.heard_by;
}

void PresenceBook::doubt() {
    const std::lock_guard lock{mutex_};
    for (auto& [agent, entry] : entries_) entry.heard_sequence = -1;
}

// Whether no other replica can have heard of the agent since this one did: it numbers each call.
// Asked also while no other is known: one may have started a moment ago.
bool PresenceBook::is_continued(const Entry& entry, std::int64_t sequence) const {
    const auto heard = entry.heard_sequence;
    return entry.heard_by == replica_ && (sequence == heard || sequence == heard + 1);
}

bool PresenceBook::contact(const AgentId& agent, Contact contact) {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(agent);
    if (found == entries_.end()) return false;
    auto& entry = found->second;
    auto& sighting = entry.sighting;
    const auto before = state_now(entry);

    if (!is_continued(entry, contact.sequence)) entry.is_claim = entry.is_dirty = true;
    entry.heard_sequence = contact.sequence;
    entry.contact_at = clock_.steady_now();
    entry.has_contact = true;
    entry.has_said_goodbye = !contact.goodbye.empty();
    entry.activity = contact.goodbye == "rebooting" ? Activity::rebooting : Activity::none;
    entry.condition = contact.condition;
    entry.is_dirty = entry.is_dirty || sighting.version != contact.version ||
                     sighting.capabilities != contact.capabilities ||
                     sighting.boot_id != contact.boot_id || sighting.pause != contact.pause;
    sighting.last_seen_at = clock_.now();
    sighting.last_sequence = std::max(sighting.last_sequence, contact.sequence);
    sighting.version = std::move(contact.version);
    sighting.capabilities = std::move(contact.capabilities);
    sighting.boot_id = std::move(contact.boot_id);
    sighting.pause = std::move(contact.pause);
    return entry.is_claim || state_now(entry) != before;
}

void PresenceBook::touch_entry(Entry& entry) {
    if (entry.has_said_goodbye) return;
    entry.contact_at = clock_.steady_now();
    entry.has_contact = true;
    entry.sighting.last_seen_at = clock_.now();
}

void PresenceBook::touch(const AgentId& agent) {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(agent);
    if (found != entries_.end()) touch_entry(found->second);
}

void PresenceBook::touch_open(const std::function<bool(const AgentId&)>& is_open) {
    const std::lock_guard lock{mutex_};
    for (auto& [agent, entry] : entries_)
        if (is_open(agent)) touch_entry(entry);
}

State PresenceBook::state_now(const Entry& entry) const {
    const auto now = clock_.steady_now();
    const auto silence = now - entry.contact_at;
    const auto activity =
        entry.activity == Activity::rebooting && silence > kRebootMax ? Activity::none
                                                                      : entry.activity;
    const auto connectivity = [&] {
        const auto& last_seen = entry.sighting.last_seen_at;
        if (last_seen && clock_.now() - *last_seen > kLostAfter && silence > kLateAfter)
            return Connectivity::lost;
        if (!entry.has_contact && now - entry.known_at <= kStartGrace) return Connectivity::unknown;
        if (!entry.has_contact && !last_seen) return Connectivity::unknown;
        if (entry.has_said_goodbye || silence > kOfflineAfter) return Connectivity::offline;
        return silence > kLateAfter ? Connectivity::late : Connectivity::online;
    }();
    return combine(connectivity, entry.condition, activity, entry.admission);
}

std::vector<PresenceChange> PresenceBook::sweep() {
    const std::lock_guard lock{mutex_};
    const auto now = clock_.steady_now();
    std::vector<PresenceChange> changes;
    for (auto& [agent, entry] : entries_) {
        const auto state = state_now(entry);
        const bool is_state_new = state != entry.sighting.state;
        const bool is_overdue =
            entry.contact_at > entry.written_at && now - entry.written_at >= kWriteUnchangedAfter;
        if (!is_state_new && !entry.is_dirty && !is_overdue) continue;
        --counter(entry.sighting.state);
        ++counter(state);
        entry.sighting.state = state;
        entry.written_at = now;
        entry.is_dirty = false;
        changes.push_back({
            entry.sighting, entry.vm_id, is_state_new, entry.heard_by,
            std::exchange(entry.is_claim, false),
        });
    }
    return changes;
}

void PresenceBook::keep(std::span<const PresenceChange> written) {
    const std::lock_guard lock{mutex_};
    for (const auto& change : written)
        if (const auto found = entries_.find(change.sighting.agent_id); found != entries_.end())
            found->second.heard_by = replica_;
}

void PresenceBook::let_go(std::span<const PresenceChange> refused) {
    const std::lock_guard lock{mutex_};
    for (const auto& change : refused) {
        const auto found = entries_.find(change.sighting.agent_id);
        if (found != entries_.end() && !found->second.is_claim) erase(found);
    }
}

void PresenceBook::put_back(std::span<const PresenceChange> changes) {
    const std::lock_guard lock{mutex_};
    for (const auto& change : changes) {
        const auto found = entries_.find(change.sighting.agent_id);
        if (found == entries_.end()) continue;
        found->second.is_dirty = true;
        found->second.is_claim = found->second.is_claim || change.is_claim;
    }
}

State PresenceBook::state_of(const AgentId& agent) const {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(agent);
    return found == entries_.end() ? State::unknown : state_now(found->second);
}

std::optional<Timestamp> PresenceBook::last_seen(const AgentId& agent) const {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(agent);
    if (found == entries_.end() || !found->second.has_contact) return std::nullopt;
    return found->second.sighting.last_seen_at;
}

}  // namespace synapsex::agent_registry
