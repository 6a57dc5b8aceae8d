#include "controlplane/platform/http/upstream.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/redirect_error.hpp>
#include <map>
#include <thread>
#include <unordered_map>

#include "controlplane/platform/http/response_reader.hpp"
#include "controlplane/platform/http/session.hpp"
#include "shared/base/log.hpp"

namespace synapsex::http {

namespace {

using boost::system::error_code;
using Resolver = asio::ip::basic_resolver<Tcp, Executor>;

constexpr std::chrono::seconds kSweepInterval{5};
constexpr std::size_t kReadBytes = 64 * 1024;

Problem unreachable(const UpstreamPeer& peer) {
    return {
        .kind = Kind::unavailable,
        .code = "service.unreachable",
        .detail = peer.name + " does not answer. Nothing was done.",
        .retry_after = std::chrono::seconds{1},
    };
}

Problem busy(const UpstreamPeer& peer) {
    return {
        .kind = Kind::unavailable,
        .code = "service.busy",
        .detail = "As many requests wait for " + peer.name + " as may. Nothing was done.",
        .retry_after = std::chrono::seconds{1},
    };
}

Problem answer_lost(const UpstreamPeer& peer) {
    return {
        .kind = Kind::deadline_exceeded,
        .code = "service.answer_lost",
        .detail = "The connection to " + peer.name +
                  " ended before its answer; whether the request had an effect is not known.",
        .retry_after = std::chrono::seconds{1},
    };
}

Problem too_slow(const UpstreamPeer& peer) {
    return {
        .kind = Kind::deadline_exceeded,
        .code = "service.too_slow",
        .detail = peer.name +
                  " did not answer in time; whether the request had an effect is not known.",
    };
}

Problem bad_answer(const UpstreamPeer& peer) {
    return {
        .kind = Kind::internal,
        .code = "service.bad_answer",
        .detail = peer.name + " gave an answer that cannot be read.",
    };
}

std::string head_of(const UpstreamPeer& peer, const UpstreamRequest& request) {
    const bool is_ipv6 = peer.host.find(':') != std::string::npos;
    std::string head = request.method + " " + request.target + " HTTP/1.1\r\nHost: ";
    head += is_ipv6 ? "[" + peer.host + "]" : peer.host;
    head += ":" + std::to_string(peer.port) + "\r\n";
    for (const auto& [name, value] : request.headers)
        head.append(name).append(": ").append(value).append("\r\n");
    if (!request.body.empty() || request.method != "GET")
        head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    return head + "\r\n";
}

struct Kept {
    Transport transport;
    SteadyTime since;
};

// One peer's connections. On the I/O thread.
struct Connections {
    std::vector<Kept> kept{};  // the one used last is used next
    std::size_t in_use = 0;
    bool is_unreachable = false;  // found out and logged
};

// One of those that exchanges_max counts.
class Use {
 public:
    explicit Use(std::size_t& count) : count_(count) { ++count_; }
    ~Use() { --count_; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

 private:
    std::size_t& count_;
};

}  // namespace

class Running;

class Upstream::Impl : public std::enable_shared_from_this<Upstream::Impl> {
 public:
    explicit Impl(const UpstreamLimits& bounds)
        : limits(bounds), work_(asio::make_work_guard(context)), sweep_timer_(context) {}

    void start();
    void stop();

    Connections& connections_of(const UpstreamPeer& peer) {
        return connections_[peer.host + " " + std::to_string(peer.port)];
    }
    void begin(std::uint64_t number, std::shared_ptr<Running> running);
    void give_up(std::uint64_t number);
    void forget(std::uint64_t number) { running_.erase(number); }

    const UpstreamLimits limits;
    const SystemClock clock{};
    asio::io_context context{1};
    std::atomic<std::uint64_t> next_number{0};
    std::array<char, kReadBytes> scratch{};  // nothing stays in it while somebody waits

 private:
    Task<void> sweep();

    asio::executor_work_guard<Executor> work_;
    Timer sweep_timer_;
    std::map<std::string, Connections> connections_{};
    std::unordered_map<std::uint64_t, std::shared_ptr<Running>> running_{};
    bool is_stopping_ = false;
    std::thread thread_{};
};

// One exchange, on the I/O thread. run() is the whole story.
class Running : public std::enable_shared_from_this<Running> {
 public:
    Running(
        Upstream::Impl& impl, std::uint64_t number, UpstreamPeer peer, UpstreamRequest request,
        Upstream::Done done
    )
        : impl_(impl),
          number_(number),
          peer_(std::move(peer)),
          request_(std::move(request)),
          done_(std::move(done)),
          timer_(impl.context) {}

    Task<void> run();
    // Both from outside of run(). Without `is_told` nobody hears of the end.
    void end(bool is_told);
    // Where run() did not come to its end.
    void fail() { finish(answer_lost(peer_)); }

 private:
    enum class Step { done, closed };

    Task<Result<api::Reply>> exchange();
    Task<bool> connect();
    Task<error_code> look_up_and_connect();
    Task<error_code> connect_to(Tcp::endpoint endpoint);
    Task<Step> write();
    Task<ResponseReader::State> read(ResponseReader& reader);
    bool take_kept(Connections& connections);
    void keep(Connections& connections, const ResponseReader& reader);
    bool may_repeat(bool was_kept, const ResponseReader& reader) const;
    Problem why_not(const Problem& otherwise) const;
    void note_reachable(bool is_reachable, const std::string& why);
    void set_deadline(SteadyTime instant);
    void interrupt();
    bool is_over() const { return is_overdue_ || is_ended_; }
    void finish(Result<api::Reply> outcome);

    Upstream::Impl& impl_;
    const std::uint64_t number_;
    const UpstreamPeer peer_;
    UpstreamRequest request_;
    Upstream::Done done_;
    Timer timer_;
    std::optional<Transport> transport_{};
    Socket* connecting_ = nullptr;
    Resolver* resolving_ = nullptr;
    std::size_t bytes_sent_ = 0;
    bool is_overdue_ = false;
    bool is_ended_ = false;  // by the one who asked, or with all others
};

Task<void> Running::run() {
    auto& connections = impl_.connections_of(peer_);
    if (connections.in_use >= impl_.limits.exchanges_max) {
        finish(busy(peer_));
        co_return;
    }
    const Use use{connections.in_use};
    Result<api::Reply> outcome = co_await exchange();
    transport_.reset();
    finish(std::move(outcome));
}

Task<Result<api::Reply>> Running::exchange() {
    auto& connections = impl_.connections_of(peer_);
    bool is_repeated = false;
    for (;;) {
        const bool was_kept = !is_repeated && take_kept(connections);
        if (!was_kept) {
            const bool is_connected = co_await connect();
            if (!is_connected) co_return is_ended_ ? answer_lost(peer_) : unreachable(peer_);
        }
        set_deadline(request_.deadline.instant());
        bytes_sent_ = 0;
        const Step written = co_await write();
        ResponseReader reader{impl_.limits.head_bytes_max, impl_.limits.body_bytes_max};
        auto state = ResponseReader::State::more;
        // A peer that refuses a request early answers before it closes.
        if (written == Step::done || bytes_sent_ > 0) state = co_await read(reader);
        if (state == ResponseReader::State::whole) {
            keep(connections, reader);
            co_return reader.take_reply();
        }
        if (is_over()) co_return is_ended_ ? answer_lost(peer_) : too_slow(peer_);
        if (state == ResponseReader::State::bad) {
            log_error("a service's answer cannot be read", {{"service", peer_.name}});
            co_return bad_answer(peer_);
        }
        if (!may_repeat(was_kept, reader)) co_return answer_lost(peer_);
        is_repeated = true;
    }
}

bool Running::may_repeat(bool was_kept, const ResponseReader& reader) const {
    if (!was_kept || reader.has_begun()) return false;
    return bytes_sent_ == 0 || request_.method == "GET";
}

// One that its peer has not ended meanwhile.
bool Running::take_kept(Connections& connections) {
    while (!connections.kept.empty()) {
        transport_.emplace(std::move(connections.kept.back().transport));
        connections.kept.pop_back();
        char byte = 0;
        if (transport_->try_read(&byte, 1).state == IoState::would_block) return true;
    }
    transport_.reset();
    return false;
}

void Running::keep(Connections& connections, const ResponseReader& reader) {
    if (!reader.keeps_alive() || connections.kept.size() >= impl_.limits.kept_max) return;
    // A request that was answered before it was sent whole leaves the rest of it behind.
    if (!request_.body.empty()) return;
    connections.kept.push_back({std::move(*transport_), impl_.clock.steady_now()});
    transport_.reset();
}

Task<bool> Running::connect() {
    const auto budget = impl_.clock.steady_now() + impl_.limits.connect_timeout;
    set_deadline(std::min(budget, request_.deadline.instant()));
    error_code why;
    const auto literal = asio::ip::make_address(peer_.host, why);
    if (!why) {
        const Tcp::endpoint endpoint(literal, peer_.port);
        why = co_await connect_to(endpoint);
    } else {
        why = co_await look_up_and_connect();
    }
    if (is_ended_) co_return false;
    if (is_overdue_) why = asio::error::timed_out;
    note_reachable(!why, why.message());
    co_return !why;
}

Task<error_code> Running::look_up_and_connect() {
    Resolver resolver{impl_.context};
    resolving_ = &resolver;
    const auto port = std::to_string(peer_.port);
    error_code why;
    const auto found =
        co_await resolver.async_resolve(peer_.host, port, asio::redirect_error(kAwait, why));
    resolving_ = nullptr;
    for (const auto& entry : found) {
        if (is_over()) break;
        const Tcp::endpoint endpoint = entry.endpoint();
        why = co_await connect_to(endpoint);
        if (!why) break;
    }
    co_return why;
}

Task<error_code> Running::connect_to(Tcp::endpoint endpoint) {
    Socket socket{impl_.context};
    error_code why;
    connecting_ = &socket;
    if (!is_over()) co_await socket.async_connect(endpoint, asio::redirect_error(kAwait, why));
    connecting_ = nullptr;
    if (is_over()) why = asio::error::operation_aborted;
    if (why) co_return why;
    error_code ignored;
    socket.set_option(Tcp::no_delay{true}, ignored);
    transport_.emplace(std::move(socket), nullptr);
    co_return why;
}

// A line when it changes: what cannot be reached is asked for all the time.
void Running::note_reachable(bool is_reachable, const std::string& why) {
    auto& connections = impl_.connections_of(peer_);
    if (std::exchange(connections.is_unreachable, !is_reachable) == !is_reachable) return;
    if (is_reachable)
        log_info("a service answers again", {{"service", peer_.name}});
    else
        log_warning(
            "a service does not answer",
            {{"service", peer_.name}, {"host", peer_.host}, {"port", int{peer_.port}},
             {"error", why}}
        );
}

Task<Running::Step> Running::write() {
    const std::string head = head_of(peer_, request_);
    const std::size_t size = head.size() + request_.body.size();
    while (bytes_sent_ < size && !is_over()) {
        const auto of_head = std::min(bytes_sent_, head.size());
        const auto first = std::string_view{head}.substr(of_head);
        const auto second = std::string_view{request_.body}.substr(bytes_sent_ - of_head);
        const IoResult result = first.empty() ? transport_->try_write(second, {})
                                              : transport_->try_write(first, second);
        bytes_sent_ += result.bytes;
        if (result.state == IoState::closed) co_return Step::closed;
        if (result.state == IoState::would_block) co_await transport_->wait_writable();
    }
    if (bytes_sent_ < size) co_return Step::closed;
    // Not needed any more: what could be repeated has none.
    request_.body = {};
    if (request_.method != "GET") request_.headers = {};
    co_return Step::done;
}

Task<ResponseReader::State> Running::read(ResponseReader& reader) {
    while (!is_over()) {
        const IoResult result =
            transport_->try_read(impl_.scratch.data(), impl_.scratch.size());
        if (result.state == IoState::closed) co_return reader.end();
        if (result.state == IoState::would_block) {
            co_await transport_->wait_readable();
            continue;
        }
        const auto state = reader.read(std::string_view(impl_.scratch.data(), result.bytes));
        if (state != ResponseReader::State::more) co_return state;
    }
    co_return ResponseReader::State::more;
}

void Running::set_deadline(SteadyTime instant) {
    timer_.cancel();
    if (instant == Deadline::never().instant()) return;
    timer_.expires_at(instant);
    timer_.async_wait([self = shared_from_this()](error_code ec) {
        if (ec) return;  // set anew, or no more needed
        self->is_overdue_ = true;
        self->interrupt();
    });
}

// What run() waits for returns; it then finds out why.
void Running::interrupt() {
    error_code ignored;
    if (transport_) transport_->cancel();
    if (connecting_ != nullptr) connecting_->cancel(ignored);
    if (resolving_ != nullptr) resolving_->cancel();
}

void Running::end(bool is_told) {
    if (!is_told) done_ = nullptr;
    is_ended_ = true;
    interrupt();
}

void Running::finish(Result<api::Reply> outcome) {
    timer_.cancel();
    impl_.forget(number_);
    const auto done = std::exchange(done_, nullptr);
    if (done) done(std::move(outcome));
}

// --- the thread and its exchanges ------------------------------------------------------------

void Upstream::Impl::start() {
    asio::co_spawn(context, sweep(), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);  // a bug: connections would be kept for ever
    });
    thread_ = std::thread{[this] { context.run(); }};
}

void Upstream::Impl::stop() {
    asio::post(context, [this] {
        is_stopping_ = true;
        for (const auto& [number, running] : running_) running->end(true);
        sweep_timer_.cancel();
        work_.reset();
    });
    thread_.join();
}

void Upstream::Impl::begin(std::uint64_t number, std::shared_ptr<Running> running) {
    if (is_stopping_) return running->fail();
    running_.emplace(number, running);
    // This handler owns the exchange until its coroutine is done.
    const auto end = [running](std::exception_ptr failure) {
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            log_error("an exchange ended by an exception", {{"error", error.what()}});
            running->fail();
        }
    };
    asio::co_spawn(context, running->run(), end);
}

void Upstream::Impl::give_up(std::uint64_t number) {
    const auto found = running_.find(number);
    if (found != running_.end()) found->second->end(false);
}

Task<void> Upstream::Impl::sweep() {
    while (!is_stopping_) {
        sweep_timer_.expires_after(std::min<std::chrono::milliseconds>(
            kSweepInterval, limits.idle_timeout
        ));
        error_code ignored;
        co_await sweep_timer_.async_wait(asio::redirect_error(kAwait, ignored));
        const auto oldest = clock.steady_now() - limits.idle_timeout;
        for (auto& [peer, connections] : connections_)
            std::erase_if(connections.kept, [&](const Kept& kept) { return kept.since < oldest; });
    }
}

namespace {

class Handle final : public Exchange {
 public:
    Handle(std::weak_ptr<Upstream::Impl> impl, std::uint64_t number)
        : impl_(std::move(impl)), number_(number) {}
    ~Handle() override {
        const auto impl = impl_.lock();
        if (!impl) return;
        asio::post(impl->context, [raw = impl.get(), number = number_] { raw->give_up(number); });
    }

 private:
    const std::weak_ptr<Upstream::Impl> impl_;
    const std::uint64_t number_;
};

}  // namespace

Upstream::Upstream(const UpstreamLimits& limits) : impl_(std::make_shared<Impl>(limits)) {
    impl_->start();
}

Upstream::~Upstream() { impl_->stop(); }

std::unique_ptr<Exchange> Upstream::send(
    const UpstreamPeer& peer, UpstreamRequest request, Done done
) {
    const auto number = impl_->next_number.fetch_add(1);
    auto running = std::make_shared<Running>(
        *impl_, number, peer, std::move(request), std::move(done)
    );
    asio::post(impl_->context, [raw = impl_.get(), number, running = std::move(running)]() mutable {
        raw->begin(number, std::move(running));
    });
    return std::make_unique<Handle>(impl_, number);
}

}  // namespace synapsex::http
