#pragma once

// Requests to services of the installation that run in other processes: HTTP/1.1 over connections
// that are kept, on one thread of its own, so that ten thousand held answers cost ten thousand
// connections and no more threads. Peers are ours; for URLs that somebody else chose there is
// shared/net's HttpClient with its EgressPolicy.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/platform/api/reply.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace synapsex::http {

struct UpstreamLimits {
    std::chrono::milliseconds connect_timeout{2'000};  // the look-up of the name included
    // Of a connection without a request; below the server's idle_timeout, so that it is rarely the
    // server that ends one just as a request goes out.
    std::chrono::milliseconds idle_timeout{30'000};
    std::size_t head_bytes_max = 32 * 1024;           // of an answer
    std::size_t body_bytes_max = 16 * 1024 * 1024;    // of an answer
    std::size_t exchanges_max = 10'000;  // with one peer at a time; each is a connection
    std::size_t kept_max = 256;          // connections without a request, to one peer
};

struct UpstreamPeer {
    std::string name;  // "tenant-service"
    std::string host;  // an address or a name
    std::uint16_t port = 0;
};

struct UpstreamRequest {
    std::string method;  // not HEAD
    std::string target;  // path and query, percent-encoded
    std::vector<std::pair<std::string, std::string>> headers{};  // but Host and Content-Length
    std::string body{};
    Deadline deadline = Deadline::never();  // of the whole answer
};

// A request on its way. Destroying it gives it up: its connection is closed, by which the peer
// learns of it, and its `done` is not called unless that is happening at this moment.
class Exchange {
 public:
    virtual ~Exchange() = default;
};

class Upstream {
 public:
    // Called once, on the thread of the Upstream, which it must not hold up. Failures:
    //   service.unreachable  503  no connection; nothing was done
    //   service.busy         503  exchanges_max; nothing was done
    //   service.answer_lost  504  the connection ended before the answer was whole; what was done
    //                             is not known
    //   service.too_slow     504  the deadline is over; what was done is not known
    //   service.bad_answer   500  no HTTP, or larger than the limits
    // A request is sent again only where nothing of it can have arrived, or, if it is a GET, where
    // a connection that was kept ended without a byte of an answer.
    using Done = std::function<void(Result<api::Reply>)>;

    // Its threads are there when it returns.
    explicit Upstream(const UpstreamLimits& limits = {});
    // Ends what is on its way with service.answer_lost. Nobody sends any more.
    ~Upstream();

    // Any thread. The reply has the peer's header fields but those that are about the connection.
    [[nodiscard]] std::unique_ptr<Exchange> send(
        const UpstreamPeer& peer, UpstreamRequest request, Done done
    );

    class Impl;

 private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace synapsex::http
