#pragma once

// The HTTP/1.1 server: all of Beast and Asio in the control plane. It reads requests under
// deadlines and limits, hands them to an Application and writes its answers. It knows no
// operation, credential or tenant; the gateway does (services/api_gateway).

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/platform/api/router.hpp"
#include "shared/net/tls_certificate.hpp"

namespace synapsex::http {

struct ServerLimits {
    std::chrono::milliseconds header_timeout{10'000};  // first byte to end of header
    std::chrono::milliseconds body_timeout{30'000};
    // From the end of the request to `done`. A backstop: the application has deadlines of its own,
    // and one that forgets a request must not keep its connection for ever.
    std::chrono::milliseconds running_timeout{120'000};
    std::chrono::milliseconds idle_timeout{75'000};    // between requests of a connection
    std::chrono::milliseconds write_timeout{30'000};
    // Where nine tenths of the connections are taken, who holds one without asking for anything
    // leaves earlier: within these times of a header (and handshake), a body, between requests.
    std::chrono::milliseconds crowded_header_timeout{1'000};
    std::chrono::milliseconds crowded_body_timeout{10'000};
    std::chrono::milliseconds crowded_idle_timeout{5'000};
    std::chrono::milliseconds drain_timeout{10'000};   // from stop() to the last forced close
    std::size_t header_bytes_max = 16 * 1024;
    std::size_t connections_max = 10'000;              // the next one gets 503 and is closed
    // Of all requests together, from their first byte to their answer; what goes beyond gets 503.
    std::size_t body_bytes_in_flight_max = 256 * 1024 * 1024;
    std::chrono::milliseconds sweep_interval{250};     // how late a timeout or held answer may be
};

struct Endpoint {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;  // 0: any free one
    // What TLS is spoken with; nullptr: HTTP in clear. It outlives the server.
    const net::TlsCertificate* certificate = nullptr;
};

struct ServerOptions {
    std::vector<Endpoint> endpoints{Endpoint{}};
    std::size_t io_threads = 1;
    ServerLimits limits{};
};

// A request whose header has been read and whose body has not.
struct RequestHead {
    std::string method;          // "GET", as sent
    std::string path;            // before '?', percent-encoded
    std::string query;           // after '?', percent-encoded
    std::string client_address;  // the peer's, without port
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case

    // Empty if the header is absent; the first if it stands more than once.
    std::string_view header(std::string_view lower_case_name) const;
};

// What is to happen to a request, decided from its head. Either an answer at once (the connection
// closes if a body is still to come), or: read a body of at most `body_bytes_max`, then run.
struct Plan {
    std::optional<api::Reply> reply{};
    std::size_t body_bytes_max = 0;
    // Called on the I/O thread with the body. Calls `done` exactly once, from any thread.
    using DoneFn = std::function<void(api::Outcome)>;
    std::function<void(std::string body, DoneFn done)> run{};
};

class Application {
 public:
    virtual ~Application() = default;
    // On the I/O thread: decides in microseconds.
    virtual Plan plan(const RequestHead& head) = 0;
    // An answer to what never became a request: parse errors, timeouts, too many connections.
    // `head` is null when no header could be read.
    virtual api::Reply failure(const Problem& problem, const RequestHead* head) = 0;
    // Called once for each answer written or lost, for metrics and the access log. Status 499: the
    // peer did not wait for it. The head of an answer that was held has neither query nor headers.
    virtual void finished(const RequestHead* head, int status, std::chrono::nanoseconds took) = 0;
    // Runs a held answer's `finish` on the worker pool, then `done` (any thread).
    virtual void finish_held(
        std::function<api::Reply(api::Wake)> finish,
        api::Wake wake,
        std::function<void(api::Reply)> done
    ) = 0;
};

struct ServerCounters {
    std::uint64_t accepted = 0;
    std::uint64_t open = 0;
    std::uint64_t parked = 0;
    std::uint64_t refused = 0;
    std::uint64_t timed_out = 0;
    std::uint64_t handshakes_failed = 0;  // of TLS
    std::uint64_t body_bytes = 0;  // in flight
};

class Server {
 public:
    // Throws std::system_error if an address cannot be bound (EADDRINUSE for a port in use); its
    // what() begins with the endpoint, "127.0.0.1:8080". SIGPIPE is ignored from here on: TLS
    // writes to sockets whose peer may have gone.
    Server(const ServerOptions& options, Application& application);
    // Stops at once if stop() was not called.
    ~Server();

    // Of the endpoint with that index in the options.
    std::uint16_t port(std::size_t endpoint = 0) const;
    void start();
    // Stops accepting, lets requests in flight finish (Connection: close), wakes what is parked by
    // closing it after its answer, and returns when all is done or drain_timeout is over.
    void stop();
    ServerCounters counters() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace synapsex::http
