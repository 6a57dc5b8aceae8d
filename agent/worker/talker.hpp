#pragma once

// Does what the Conversation decides: fetches tokens, sends heartbeats and inventory, waits. The
// network is used by the one thread that is in run(); what may hang on a disk happens elsewhere
// (the spool's thread, one for the inventory and one for the state file), so that no disk delays a
// heartbeat for long.

#include <functional>
#include <string>

#include "agent/core/conversation.hpp"
#include "agent/spool/spool.hpp"
#include "agent/threads/side_thread.hpp"
#include "agent/transport/control_plane.hpp"
#include "agent/worker/agent_key_files.hpp"
#include "agent/worker/certificate_clock.hpp"
#include "agent/worker/ports.hpp"
#include "agent/worker/state_file.hpp"
#include "agent/worker/stop_signal.hpp"

namespace synapsex::agent {

// What the talker works with; all of it outlives the talker.
struct TalkerParts {
    net::HttpClient& http;
    Spool& spool;
    const AgentKeyFiles& key_files;
    InventorySource& inventory;
    ExecutorProbe& executor;
    TimeFloor& time_floor;
    const CertificateClock& certificate_clock;
    const Clock& clock;
    Random& random;
    const StopSignal& stop;
    std::function<void()> on_first_answer{};  // the start is over
    // Whether somebody has put a token there for an agent that the control plane has forgotten:
    // asked while it is silent for that. On a thread that may wait for the disk.
    std::function<bool()> is_token_there{};
    std::chrono::milliseconds token_look_every{30'000};
    // What stops work on this VM now. On a thread that may wait for the disk; does not throw.
    std::function<std::optional<PauseNotice>()> pause{};
    // One authority follows another. On a thread that may wait for the disk; does not throw.
    std::function<void(const std::vector<std::string>& pins)> on_pins{};
};

// What does not change while the worker runs.
struct TalkerFacts {
    Identity identity;
    AgentKeys keys;
    std::string boot_id;
    std::string agent_version;
    std::filesystem::path state_path;  // what `synapsex-agent status` reads
};

class Talker {
 public:
    Talker(const TalkerParts& parts, TalkerFacts facts);

    enum class End { stopped, token_found };
    // Until the stop, and then for one goodbye; or until there is a token.
    End run();

 private:
    void act(const FetchToken& wish);
    void act(const SettleKey& wish);
    void act(const RegisterKey&);
    void act(const SendHeartbeat& wish);
    void act(const PutSection& wish);
    void act(const DropSample&);
    void act(const Wait& wish);
    void act(const Stop&) { has_stopped_ = true; }

    // The sections that may have changed, or all of them.
    enum class Look { first, later };
    std::vector<SectionHash> look(Look look);
    void wait_for_token(std::chrono::milliseconds time);
    void look_at_inventory();
    std::size_t forget_stored(const HeartbeatAnswer& answer, const Heartbeat& sent);
    Heartbeat make_heartbeat(const SendHeartbeat& wish);
    void on_answer(const HeartbeatAnswer& answer, const Heartbeat& sent);
    void notice_pins();
    void look_at_pause();
    void notice_keys();
    void notice_clocks(Timestamp server_time);
    void report(const CallFailure& failure, std::string_view what);
    void write_state();

    TalkerParts parts_;
    TalkerFacts facts_;
    ControlPlane control_plane_;
    Conversation conversation_;
    WorkerState state_;
    StateWriter state_writer_;
    SteadyTime inventory_due_{};
    std::string last_reported_;
    std::vector<std::int64_t> alone_;        // slots of the last heartbeat with a single sample
    std::vector<std::int64_t> last_stored_;  // as the server said last
    bool has_stopped_ = false;
    bool is_forgotten_ = false;  // as the control plane said last
    bool is_token_found_ = false;
    std::optional<PauseNotice> pause_;  // as far as is known

    struct Collected {
        std::string name;
        EncodedSection section;
    };
    Question<std::vector<SectionHash>> looking_;
    Question<Collected> collecting_;
    Question<std::optional<PauseNotice>> looking_at_pause_;
    Question<bool> looking_for_token_;
    Question<Result<Done>> settling_;
    Question<Result<crypto::Ed25519Key>> making_key_;
    SideThread inventory_thread_;  // last: it ends before what it uses
};

}  // namespace synapsex::agent
