#pragma once

// The executor's Unix socket. One thread, a few connections, one request and one answer on each,
// every wait bounded: a client that is slow, broken or hostile loses its own connection and nothing
// else.

#include <chrono>
#include <filesystem>
#include <functional>
#include <vector>

#include <sys/types.h>

#include "agent/executor/descriptor.hpp"
#include "agent/executor/protocol.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace synapsex::executor {

struct SocketRules {
    std::filesystem::path path;
    uid_t worker_uid = 0;  // besides root and the executor's own user, the one who may connect
    gid_t worker_gid = 0;  // owns the socket, mode 0660
    std::chrono::milliseconds request_time{5'000};  // for a client to send its request
};

class Server {
 public:
    using Handler = std::function<Answer(Verb)>;

    static constexpr std::size_t kConnectionsMax = 8;

    // Listens. Fails with executor.socket_unsafe if others may write to the directory, or
    // executor.socket_failed.
    static Result<Server> open(const SocketRules& rules, const Clock& clock, Handler handler);

    // Serves until `stop_descriptor` can be read from.
    void run(int stop_descriptor);

 private:
    struct Connection {
        Descriptor socket;
        Deadline deadline;
        FrameReader reader{};
        bool is_done = false;
    };

    Server(Descriptor listener, const SocketRules& rules, const Clock& clock, Handler handler);

    void accept_connection();
    bool is_welcome(int socket) const;
    void read_from(Connection& connection);
    void answer(Connection& connection);
    int poll_time() const;

    Descriptor listener_;
    uid_t worker_uid_;
    std::chrono::milliseconds request_time_;
    const Clock* clock_;
    Handler handler_;
    std::vector<Connection> connections_;
};

}  // namespace synapsex::executor
