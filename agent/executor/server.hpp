#pragma once

// The executor's Unix socket. One thread, a few connections, one request and one answer on each,
// every wait bounded: a client that is slow, broken or hostile loses its own connection and nothing
// else.

#include <chrono>
#include <filesystem>
#include <functional>
#include <vector>

#include <sys/types.h>

#include "agent/executor/protocol.hpp"
#include "agent/executor/run_lock.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/base/descriptor.hpp"

namespace synapsex::executor {

struct SocketRules {
    std::filesystem::path path;
    std::filesystem::path lock{};  // beside it: held for as long as the server lives
    uid_t worker_uid = 0;  // besides root and the executor's own user, the one who may connect
    gid_t worker_gid = 0;  // owns the socket, mode 0660
    std::chrono::milliseconds request_time{5'000};  // for a client to send its request
};

class Server {
 public:
    using Handler = std::function<Answer(Verb)>;

    static constexpr std::size_t kConnectionsMax = 8;
    // Of these, for the worker: root, who wants to know what is wrong with it, is served all the
    // same. Beyond them it is turned away at once.
    static constexpr std::size_t kWorkerConnectionsMax = 6;

    // Listens. Fails with executor.socket_unsafe if others may write to the directory,
    // executor.path_too_long, executor.already_running, or, where the machine is at fault,
    // executor.lock_failed or executor.socket_failed.
    static Result<Server> open(const SocketRules& rules, const Clock& clock, Handler handler);

    // Serves until `stop_descriptor` can be read from. Then removes the socket, if it still is its
    // own.
    void run(int stop_descriptor);

 private:
    struct Connection {
        Descriptor socket;
        Deadline deadline;
        FrameReader reader{};
        bool is_of_worker = false;
        bool is_done = false;
    };

    // After a failure for want of descriptors or memory: newcomers wait in the listener's queue.
    static constexpr std::chrono::seconds kAcceptPause{1};

    Server(
        Descriptor listener, RunLock lock, const SocketRules& rules, const Clock& clock,
        Handler handler
    );

    void serve(int stop_descriptor);
    void remove_socket() const;
    bool is_accepting() const;
    void accept_connection();
    enum class Peer { stranger, worker, trusted };
    Peer peer_of(int socket) const;
    void read_from(Connection& connection);
    void answer(Connection& connection);
    int poll_time() const;

    Descriptor listener_;
    RunLock lock_;
    std::filesystem::path path_;
    ino_t inode_ = 0;  // of the socket's file
    SteadyTime accepts_at_{};
    uid_t worker_uid_;
    std::chrono::milliseconds request_time_;
    const Clock* clock_;
    Handler handler_;
    std::vector<Connection> connections_;
};

}  // namespace synapsex::executor
