#pragma once

// A control plane for tests of the agent: a real HTTP server on 127.0.0.1 that answers the agent's
// four routes, remembers what it was told, and misbehaves on request. It stores telemetry as the
// real one does: by slot, once.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace synapsex::testing {

class FakeControlPlane {
 public:
    struct Request {
        std::string method;
        std::string path;
        std::map<std::string, std::string> headers;  // names in lower case
        std::string body;                            // decompressed
    };
    struct Answer {
        int status = 200;
        std::string body{};
        std::vector<std::string> headers{};  // "Name: value"
    };
    struct SeenHeartbeat {
        std::uint64_t sequence = 0;
        std::uint32_t hold_seconds = 0;
        std::vector<std::int64_t> slots;
        std::map<std::string, std::string> hashes;
        std::vector<std::uint32_t> capabilities;
        std::optional<std::string> pause_reason{};
        std::string goodbye;
        std::string executor;
    };
    // Takes the place of the ordinary answer; nullopt leaves it to the server.
    using Script = std::function<std::optional<Answer>(const Request&)>;

    static constexpr const char* kAgentId = "agt_01hv3x8k2m4n6p8q0r2s4t6v8w";
    static constexpr const char* kToken =
        "sxe_01jgjz2m1xq3v5n8b7w6t4r2e0.SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS";

    // Port 0: any free one.
    explicit FakeControlPlane(int port = 0);
    ~FakeControlPlane();
    FakeControlPlane(const FakeControlPlane&) = delete;
    FakeControlPlane& operator=(const FakeControlPlane&) = delete;

    int port() const { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

    // Connections are cut and new ones refused until start(); what was stored stays.
    void stop();
    void start();

    void set_script(Script script);
    // A heartbeat is held for as long as it asks, but at most this long.
    void set_hold_max(std::chrono::milliseconds time);
    // Ends a held heartbeat, as news or another poll of the same agent would.
    void release_hold(std::string reason);
    void set_want_sections(std::vector<std::string> sections);
    void set_incarnation(std::string incarnation);
    // From now on answers say that the agent is to replace its key, until it has registered one,
    // which shows among the sections as "key".
    void want_another_key();
    // Every token given so far is refused from now on.
    void revoke_tokens();

    // Waits until `condition` holds, looking after each request; false after `timeout`.
    bool wait_until(
        const std::function<bool(const FakeControlPlane&)>& condition,
        std::chrono::milliseconds timeout = std::chrono::seconds{20}
    );

    // Valid while no request is served, and inside of wait_until's condition.
    const std::vector<SeenHeartbeat>& heartbeats() const { return heartbeats_; }
    const std::set<std::int64_t>& stored_slots() const { return stored_slots_; }
    // Their content, of those that were signed with the key that was enrolled.
    const std::map<std::string, std::string>& sections() const { return sections_; }
    int enrollments() const { return enrollments_; }
    int tokens_given() const { return tokens_given_; }

 private:
    struct Connection {
        int socket;
        std::thread thread;
    };
    void accept_connections();
    void serve(int socket);
    Answer answer(const Request& request);
    Answer answer_heartbeat(const Request& request, std::unique_lock<std::mutex>& lock);
    Answer take_section(const std::string& section, const std::string& body);
    void remember(const std::string& body);
    std::string wait_for_hold(std::uint32_t seconds, std::unique_lock<std::mutex>& lock);

    int port_ = 0;
    int listener_ = -1;
    std::thread acceptor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_stopping_ = false;
    std::list<Connection> connections_;

    Script script_;
    std::chrono::milliseconds hold_max_{100};
    std::string release_reason_;
    std::vector<std::string> want_sections_;
    std::string incarnation_ = "inc-1";
    bool is_key_wanted_ = false;
    std::vector<SeenHeartbeat> heartbeats_;
    std::set<std::int64_t> stored_slots_;
    std::map<std::string, std::string> sections_;
    std::string public_key_;
    int enrollments_ = 0;
    int tokens_given_ = 0;
    int first_valid_token_ = 1;
};

}  // namespace synapsex::testing
