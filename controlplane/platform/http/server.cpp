#include "controlplane/platform/http/server.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <csignal>
#include <system_error>
#include <thread>

#include "controlplane/platform/http/session.hpp"
#include "shared/base/log.hpp"

namespace synapsex::http {
namespace {

using namespace std::chrono_literals;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using boost::system::error_code;

// A peer that vanished without a word is found out after 60 s of silence and three probes.
constexpr int kKeepAliveIdleSeconds = 60;
constexpr int kKeepAliveIntervalSeconds = 10;
constexpr int kKeepAliveProbes = 3;
constexpr unsigned kUserTimeoutMs =
    1000 * (kKeepAliveIdleSeconds + kKeepAliveProbes * kKeepAliveIntervalSeconds);

constexpr auto kAcceptBackOff = 100ms;

// Refused connections wait this many at a time for their peers to read the refusal.
constexpr std::size_t kRefusalsMax = 256;

void check(const error_code& ec, const std::string& what) {
    if (ec) throw std::system_error{std::error_code{ec}, what};
}

// Linux hands these on to every socket accepted here, which saves six calls a connection.
void set_options(Acceptor& acceptor) {
    const auto set = [&acceptor](int level, int name, auto value) {
        if (::setsockopt(acceptor.native_handle(), level, name, &value, sizeof value) != 0)
            throw std::system_error{errno, std::system_category(), "setsockopt"};
    };
    set(SOL_SOCKET, SO_REUSEADDR, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
    set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
    set(IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

}  // namespace

// Takes connections on the first thread and hands them to all in turn.
class Listener {
 public:
    Listener(const Endpoint& endpoint, Shared& shared, IoThread& thread)
        : shared_(shared),
          thread_(thread),
          certificate_(endpoint.certificate),
          acceptor_(thread.context()),
          pause_(thread.context()) {
        const bool is_ipv6 = endpoint.address.find(':') != std::string::npos;
        const auto what = (is_ipv6 ? '[' + endpoint.address + ']' : endpoint.address) + ':' +
                          std::to_string(endpoint.port);
        error_code ec;
        const auto address = asio::ip::make_address(endpoint.address, ec);
        check(ec, what);
        const Tcp::endpoint place{address, endpoint.port};
        acceptor_.open(place.protocol(), ec);
        check(ec, what);
        set_options(acceptor_);
        acceptor_.bind(place, ec);
        check(ec, what);
        acceptor_.listen(asio::socket_base::max_listen_connections, ec);
        check(ec, what);
        port_ = acceptor_.local_endpoint().port();
    }

    std::uint16_t port() const { return port_; }

    // `threads` includes this one's own and outlives the loop.
    Task<void> run(std::vector<std::unique_ptr<IoThread>>& threads) {
        std::size_t next = 0;
        while (acceptor_.is_open()) {
            IoThread& target = *threads[next++ % threads.size()];
            Socket socket{target.context()};
            error_code ec;
            co_await acceptor_.async_accept(socket, asio::redirect_error(kAwait, ec));
            if (!ec)
                welcome(std::move(socket), target);
            else if (acceptor_.is_open() && is_lasting(ec))
                co_await back_off(ec);
        }
    }

    void close() {
        error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
        refused_now_.clear();
        refused_before_.clear();
    }

    // With every sweep: peers had between one and two sweeps to read why they were refused.
    void forget_refused() {
        refused_before_.clear();
        refused_before_.swap(refused_now_);
    }

 private:
    void welcome(Socket socket, IoThread& target) {
        shared_.accepted.fetch_add(1, std::memory_order_relaxed);
        try {
            if (shared_.open.load() >= shared_.limits.connections_max)
                return refuse(std::move(socket));
            target.start_session({std::move(socket), tls()});
        } catch (const std::exception& error) {
            // The next connection may fare better.
            log_error("connection dropped by an exception", {{"error", error.what()}});
        }
    }

    std::shared_ptr<const net::TlsContext> tls() const {
        return certificate_ == nullptr ? nullptr : certificate_->current();
    }

    // Costs one write and never waits: it happens when there is no room.
    void refuse(Socket socket) {
        shared_.refused.fetch_add(1, std::memory_order_relaxed);
        if (certificate_ != nullptr) return;  // a handshake costs more than there is
        Problem problem{
            Kind::unavailable, "server.connections_exhausted",
            "The server has as many connections as it takes."
        };
        problem.retry_after = 5s;
        const api::Reply reply = shared_.application.failure(problem, nullptr);
        std::string text;
        append_response_head(text, reply, Persistence::close, thread_.fixed_fields());
        text += reply.bytes();
        ::send(socket.native_handle(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        shared_.application.finished(nullptr, reply.status, 0ns);
        if (refused_now_.size() >= kRefusalsMax) return;
        error_code ignored;
        socket.shutdown(Socket::shutdown_send, ignored);
        refused_now_.push_back(std::move(socket));
    }

    // A peer that gave up while queued is its own business; out of descriptors or memory is ours.
    static bool is_lasting(const error_code& ec) { return ec != asio::error::connection_aborted; }

    Task<void> back_off(error_code why) {
        log_error("cannot accept connections", {{"error", why.message()}});
        pause_.expires_after(kAcceptBackOff);
        error_code ignored;
        co_await pause_.async_wait(asio::redirect_error(kAwait, ignored));
    }

    Shared& shared_;
    IoThread& thread_;
    const net::TlsCertificate* const certificate_;
    Acceptor acceptor_;
    Timer pause_;
    std::uint16_t port_ = 0;
    std::vector<Socket> refused_now_{};
    std::vector<Socket> refused_before_{};
};

struct Server::Impl {
    Impl(const ServerOptions& options, Application& application)
        : shared{options.limits, application} {
        const auto count = std::max<std::size_t>(options.io_threads, 1);
        for (std::size_t i = 0; i < count; ++i)
            io_threads.push_back(std::make_unique<IoThread>(shared));
        for (const auto& endpoint : options.endpoints)
            listeners.push_back(std::make_unique<Listener>(endpoint, shared, *io_threads.front()));
        std::signal(SIGPIPE, SIG_IGN);
    }

    void start() {
        IoThread& first = *io_threads.front();
        first.on_sweep([this] {
            for (auto& listener : listeners) listener->forget_refused();
        });
        for (auto& listener : listeners)
            asio::co_spawn(
                first.context(), listener->run(io_threads), [](std::exception_ptr failure) {
                    if (failure) std::rethrow_exception(failure);  // nobody would be served
                }
            );
        for (auto& thread : io_threads)
            threads.emplace_back([io = thread.get()] { io->run(); });
    }

    // Stops accepting and lets sessions end as they like, as long as drain_timeout.
    void drain() {
        if (threads.empty()) return;
        stop_listening();
        for (auto& thread : io_threads)
            asio::post(thread->context(), [io = thread.get()] { io->drain(); });
        std::unique_lock lock{shared.mutex};
        const auto is_empty = [this] { return shared.open.load() == 0; };
        shared.is_empty.wait_for(lock, shared.limits.drain_timeout, is_empty);
    }

    void stop_listening() {
        asio::post(io_threads.front()->context(), [this] {
            for (auto& listener : listeners) listener->close();
        });
    }

    // Ends what is left, at once.
    void end() {
        if (threads.empty()) return;
        stop_listening();
        for (auto& thread : io_threads)
            asio::post(thread->context(), [io = thread.get()] { io->abandon(); });
        for (auto& thread : threads) thread.join();
        threads.clear();
    }

    Shared shared;
    std::vector<std::unique_ptr<IoThread>> io_threads{};
    std::vector<std::unique_ptr<Listener>> listeners{};  // live on the first of them
    std::vector<std::thread> threads{};
};

Server::Server(const ServerOptions& options, Application& application)
    : impl_(std::make_unique<Impl>(options, application)) {}

Server::~Server() { impl_->end(); }

std::uint16_t Server::port(std::size_t endpoint) const {
    return impl_->listeners.at(endpoint)->port();
}
void Server::start() { impl_->start(); }
void Server::stop() {
    impl_->drain();
    impl_->end();
}

ServerCounters Server::counters() const {
    const auto& shared = impl_->shared;
    return ServerCounters{
        .accepted = shared.accepted.load(std::memory_order_relaxed),
        .open = shared.open.load(std::memory_order_relaxed),
        .parked = shared.parked.load(std::memory_order_relaxed),
        .refused = shared.refused.load(std::memory_order_relaxed),
        .timed_out = shared.timed_out.load(std::memory_order_relaxed),
        .handshakes_failed = shared.handshakes_failed.load(std::memory_order_relaxed),
        .body_bytes = shared.body_bytes.load(std::memory_order_relaxed),
    };
}

std::string_view RequestHead::header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers)
        if (name == lower_case_name) return value;
    return {};
}

}  // namespace synapsex::http
