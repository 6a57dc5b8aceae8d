#pragma once

// The agent's side of the conversation with the control plane, as decisions alone: next() says what
// to do now, an on_…() tells what came of it. No sockets, no files, no threads; time and randomness
// are injected, so the tests walk every path in milliseconds (conversation_test.cpp). The worker
// (agent/worker/talker.cpp) does what this says and nothing else.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/core/access_tokens.hpp"
#include "agent/core/hold_proposal.hpp"
#include "agent/core/key_choice.hpp"
#include "agent/core/section_ledger.hpp"
#include "agent/core/telemetry_batch.hpp"

namespace synapsex::agent {

// What to do now.
struct FetchToken {
    KeySlot key = KeySlot::current;  // signs the assertion
};
// The control plane takes this key: on disk it is to become the key.
struct SettleKey {
    KeySlot taken = KeySlot::current;
};
// Make another key, unless that is done, and register it.
struct RegisterKey {};
struct SendHeartbeat {
    std::chrono::seconds hold{};
    std::size_t samples_max = 0;  // the oldest unsent ones, in order
    std::vector<SectionHash> hashes{};
    std::string goodbye{};
};
struct PutSection {
    std::string section;
    std::string hash;  // as it was when it was looked at
};
// The sample that went alone with a heartbeat last: the server will never take it.
struct DropSample {};
struct Wait {
    std::chrono::milliseconds time{};
};
struct Stop {};
using Action =
    std::variant<FetchToken, SettleKey, RegisterKey, SendHeartbeat, PutSection, DropSample, Wait,
                 Stop>;

class Conversation {
 public:
    Conversation(const Clock& clock, Random& random);

    Action next(const Backlog& backlog);

    void on_token(AccessToken token);
    // What there is to say of it; nothing while another key is tried at once.
    std::optional<CallFailure> on_token_failed(const CallFailure& failure);
    // The keys that there are, at the start and after they have changed places.
    void set_keys(bool has_next, bool has_former);
    // The disk has not done it: later again.
    void on_key_late();
    void on_key_registered();
    void on_key_failed(const CallFailure& failure);

    // `samples_forgotten`: of those that were sent with it, how many need not be sent again.
    void on_heartbeat(const HeartbeatAnswer& answer, std::size_t samples_forgotten);
    void on_heartbeat_failed(const CallFailure& failure);
    void on_section_stored(const SectionHash& stored);
    // It is not collected yet; nothing was sent.
    void on_section_late();
    void on_section_failed(const SectionHash& sent, const CallFailure& failure);

    // A section was collected; it is announced with the next heartbeat if it has changed.
    void set_section(const SectionHash& current) { sections_.set_current(current); }
    // From now on: one goodbye if the server can be told, then Stop.
    void stop(std::string goodbye);

    // Heartbeats state the last incarnation that was seen, over restarts too.
    void set_server_incarnation(std::string incarnation) { incarnation_ = std::move(incarnation); }
    const std::string& server_incarnation() const { return incarnation_; }

    const std::string& access_token() const { return tokens_.usable(); }
    // Signs what the agent says now.
    KeySlot signing_key() const { return keys_.slot(); }
    Timestamp assertion_time() const { return tokens_.assertion_time(); }
    // The last heartbeat was answered.
    bool is_connected() const { return is_connected_; }
    // As far as is known. While they do not, nobody knows which of them is right: the server would
    // drop samples that seem to be of the future, or long gone, so they wait in the spool.
    bool do_clocks_agree() const;

 private:
    Action next_when_stopping();
    std::size_t samples_max() const;
    SendHeartbeat make_heartbeat(const Backlog& backlog);
    void learn_incarnation(const std::string& incarnation);
    void plan_after_answer(const HeartbeatAnswer& answer);
    bool is_live() const { return clock_.steady_now() < live_until_; }
    // Just after the current slot has ended: its sample is in the spool then.
    std::chrono::milliseconds until_next_sample();
    bool is_registration_due() const;
    bool was_cut_while_held(const CallFailure& failure) const;
    void on_cut();
    void on_unauthenticated(const CallFailure& failure);
    void pause(std::chrono::milliseconds time);
    void back_off(const CallFailure& failure);

    const Clock& clock_;
    Random& random_;
    AccessTokens tokens_;
    HoldProposal hold_;
    KeyChoice keys_;
    TelemetryBatch batch_;
    SectionLedger sections_;
    Backoff backoff_{kBackoffBase, kBackoffCap};
    Backoff supersede_backoff_{std::chrono::seconds{4}, kBackoffCap};
    Backoff key_backoff_{std::chrono::minutes{1}, std::chrono::hours{1}};

    SteadyTime not_before_{};
    SteadyTime key_not_before_{};
    std::optional<CallFailure> forgotten_;  // of one of the keys that were tried
    std::optional<KeySlot> unsettled_;  // it is taken, and not agent.key
    SteadyTime live_until_{};
    SteadyTime sent_at_{};
    SendHeartbeat sent_{};
    std::size_t samples_sent_ = 0;
    std::chrono::microseconds server_ahead_{0};  // of this machine's clock, as it said last
    std::string incarnation_;
    std::string goodbye_;
    bool is_stopping_ = false;
    bool is_connected_ = false;
    bool is_token_fresh_ = false;      // fetched since the last 401
    bool is_key_wanted_ = false;       // by the control plane
    bool is_just_cut_ = false;         // while it was held, and not answered since
    bool is_heartbeat_first_ = false;  // a section was not taken: presence before the next one
    bool is_telemetry_stuck_ = false;  // the last samples were sent and not stored
};

}  // namespace synapsex::agent
