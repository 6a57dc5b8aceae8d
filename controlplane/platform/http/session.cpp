#include "controlplane/platform/http/session.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

#include "shared/base/log.hpp"

namespace synapsex::http {
namespace {

using namespace std::chrono_literals;

// Given to finished() for an answer that the peer did not wait for.
constexpr int kClientGone = 499;

// After an answer to a request that was not read to its end. Closing at once would make the kernel
// send a reset, which can overtake the answer.
constexpr auto kLingerTime = 2s;
constexpr std::size_t kLingerBytesMax = 16 * 1024 * 1024;

constexpr std::size_t kBodyReserveMax = 64 * 1024;

Problem bodies_exhausted() {
    return {
        .kind = Kind::unavailable,
        .code = "server.bodies_exhausted",
        .detail = "The server holds as much of requests' bodies as it takes.",
        .retry_after = 1s,
    };
}

}  // namespace

Session::Session(IoThread& thread, Welcome welcome, std::unique_ptr<Place> place)
    : place_(std::move(place)),
      thread_(thread),
      shared_(thread.shared()),
      transport_(std::move(welcome.socket), std::move(welcome.tls)),
      slot_(thread.add(*this)),
      body_share_(shared_),
      outcome_(std::make_shared<Mailbox<api::Outcome>>(transport_.executor(), event_)) {}

Session::~Session() {
    outcome_->close();
    if (wake_) wake_->close();
    thread_.remove(slot_);
}

void Session::start(IoThread& thread, Welcome welcome, std::unique_ptr<Place> place) {
    boost::system::error_code ec;
    const auto peer = welcome.socket.remote_endpoint(ec);
    const auto session = std::make_shared<Session>(thread, std::move(welcome), std::move(place));
    if (!ec) session->head_.client_address = peer.address().to_string();
    // This handler owns the session until its coroutine is done.
    const auto end = [session](std::exception_ptr failure) {
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            log_error("http session ended by an exception", {{"error", error.what()}});
        }
    };
    asio::co_spawn(session->transport_.executor(), session->run(), end);
}

// --- the life of a connection ----------------------------------------------------------------

Task<void> Session::run() {
    if (transport_.speaks_tls()) {
        const bool is_done = co_await shake_hands();
        // Without TLS from here on: it was told to use it, and gets the time to read that.
        if (!is_done && !is_abandoned_ && !transport_.speaks_tls()) co_await linger();
        if (!is_done) co_return;
    }
    while (ending_ == Ending::keep) {
        const Read read = co_await read_head();
        if (read == Read::ended) break;
        if (read == Read::failure) co_await fail(nullptr);
        if (read == Read::request) co_await serve();
        body_share_.give_back();
    }
    if (ending_ == Ending::close_unread) co_await linger();
}

// As long as a header may take; a peer that does not come through is no request.
Task<bool> Session::shake_hands() {
    enter(Phase::handshake, shared_.limits.header_timeout);
    while (!is_abandoned_ && !is_overdue_ && !thread_.is_draining()) {
        const IoState state = transport_.try_handshake();
        if (state == IoState::done) co_return true;
        if (state == IoState::closed) break;
        co_await transport_.wait_readable();
    }
    shared_.handshakes_failed.fetch_add(1, std::memory_order_relaxed);
    if (is_overdue_) shared_.timed_out.fetch_add(1, std::memory_order_relaxed);
    co_return false;
}

Task<Session::Read> Session::read_head() {
    parser_.start();
    enter(Phase::idle, shared_.limits.idle_timeout);
    for (;;) {
        if (end_ > begin_) {
            if (phase_ == Phase::idle) enter(Phase::head, shared_.limits.header_timeout);
            const auto is_whole = parser_.parse_head(input(), head_);
            if (!is_whole) {
                failure_ = is_whole.error();
                co_return Read::failure;
            }
            if (*is_whole) break;
        }
        const Input got = co_await fill();
        if (got == Input::more) continue;
        if (got == Input::ended || phase_ == Phase::idle) co_return Read::ended;
        failure_ = got == Input::full
                       ? Problem{Kind::header_too_large, "request.header_too_large",
                                 "The request line and header fields are too long."}
                       : Problem{Kind::timeout, "request.timeout",
                                 "The header took too long to arrive."};
        co_return Read::failure;
    }
    consume(parser_.head_bytes());
    is_fresh_ = false;
    co_return Read::request;
}

// The body into body_. The rest of it is never read after a failure.
Task<Session::Read> Session::read_body(std::size_t bytes_max) {
    if (const auto limited = parser_.start_body(bytes_max); !limited) {
        failure_ = limited.error();
        co_return Read::failure;
    }
    enter(Phase::body, shared_.limits.body_timeout);
    if (const auto length = parser_.content_length())
        body_.reserve(std::min<std::size_t>(*length, kBodyReserveMax));
    if (parser_.expects_continue() && end_ == begin_) {
        const bool is_written = co_await write("HTTP/1.1 100 Continue\r\n\r\n", "");
        if (!is_written) co_return Read::ended;
        enter(Phase::body, shared_.limits.body_timeout);
    }
    for (;;) {
        if (end_ > begin_) {
            const auto taken = parser_.parse_body(input(), body_);
            if (!taken) {
                failure_ = taken.error();
                co_return Read::failure;
            }
            consume(*taken);
            if (!body_share_.grow_to(body_.size())) {
                failure_ = bodies_exhausted();
                co_return Read::failure;
            }
            if (parser_.is_complete()) co_return Read::request;
        }
        const Input got = co_await fill();
        if (got == Input::more) continue;
        if (got == Input::ended) co_return Read::ended;
        failure_ = got == Input::full
                       ? malformed_request("A chunk's line or the trailer is too long.")
                       : Problem{Kind::timeout, "request.timeout",
                                 "The body took too long to arrive."};
        co_return Read::failure;
    }
}

Task<void> Session::serve() {
    started_ = shared_.clock.steady_now();
    enter(Phase::running, shared_.limits.running_timeout);
    Plan planned = plan();
    ending_ = parser_.keeps_alive() ? Ending::keep : Ending::close;
    body_.clear();
    if (planned.reply) {
        if (!parser_.is_complete()) ending_ = Ending::close_unread;
    } else if (!parser_.is_complete()) {
        const Read read = co_await read_body(planned.body_bytes_max);
        if (read == Read::failure) co_await fail(&head_);
        if (read == Read::ended) {
            finished(&head_, kClientGone);
            ending_ = Ending::close;
        }
        if (read != Read::request) co_return;
    }
    const std::optional<api::Reply> reply = co_await make_reply(std::move(planned));
    if (!reply) {
        finished(&head_, kClientGone);
        ending_ = Ending::close;
        co_return;
    }
    co_await answer(*reply, &head_);
}

// --- from a plan to a reply ------------------------------------------------------------------

Plan Session::plan() {
    try {
        return shared_.application.plan(head_);
    } catch (const std::exception& error) {
        Plan failed;
        failed.reply = internal_error("plan", error.what());
        return failed;
    }
}

// Nullopt: the peer or the server is gone, nobody waits.
Task<std::optional<api::Reply>> Session::make_reply(Plan plan) {
    if (plan.reply) co_return std::move(plan.reply);
    enter(Phase::running, shared_.limits.running_timeout);
    run_plan(plan);
    std::optional<api::Outcome> outcome = co_await await_outcome();
    if (!outcome) co_return std::nullopt;
    if (auto* reply = std::get_if<api::Reply>(&*outcome)) co_return std::move(*reply);
    plan.run = nullptr;  // what it holds is not needed for the minute of waiting to come
    co_return co_await hold(std::get<api::HeldReply>(std::move(*outcome)));
}

void Session::run_plan(const Plan& plan) {
    const auto number = outcome_->open();
    try {
        plan.run(std::move(body_), [box = outcome_, number](api::Outcome outcome) {
            box->deliver(number, std::move(outcome));
        });
    } catch (const std::exception& error) {
        outcome_->deliver(number, internal_error("run", error.what()));
    }
}

Task<std::optional<api::Outcome>> Session::await_outcome() {
    // An operation that answered within run() is taken here without having waited.
    std::optional<api::Outcome> outcome = outcome_->take();
    while (!outcome && !is_abandoned_ && !is_overdue_) {
        co_await event_.wait();
        outcome = outcome_->take();
    }
    if (!outcome && !is_abandoned_) outcome = give_up_waiting();
    co_return outcome;
}

// What comes after all is thrown away: it may be about anything by then.
api::Reply Session::give_up_waiting() {
    outcome_->open();
    shared_.timed_out.fetch_add(1, std::memory_order_relaxed);
    log_error("request was not answered in time", {{"path", head_.path}});
    ending_ = Ending::close;
    const Problem problem{
        Kind::deadline_exceeded, "server.no_answer",
        "The request ran for too long; whether it had an effect is not known."
    };
    return shared_.application.failure(problem, &head_);
}

Task<std::optional<api::Reply>> Session::hold(api::HeldReply held) {
    const std::optional<api::Wake> wake = co_await park(held);
    if (!wake) co_return std::nullopt;
    enter(Phase::running, shared_.limits.running_timeout);
    const auto number = outcome_->open();
    auto done = [box = outcome_, number](api::Reply reply) {
        box->deliver(number, std::move(reply));
    };
    try {
        shared_.application.finish_held(std::move(held.finish), *wake, std::move(done));
    } catch (const std::exception& error) {
        outcome_->deliver(number, internal_error("finish_held", error.what()));
    }
    std::optional<api::Outcome> outcome = co_await await_outcome();
    if (!outcome) co_return std::nullopt;
    co_return std::get<api::Reply>(std::move(*outcome));
}

// Waits at the price of one read-wait, until woken or the peer is gone (nullopt).
Task<std::optional<api::Wake>> Session::park(api::HeldReply& held) {
    release_buffer_if_empty();
    out_ = {};
    head_.query = {};
    head_.headers = {};
    body_share_.give_back();
    enter(Phase::parked, held.hold);
    shared_.parked.fetch_add(1, std::memory_order_relaxed);
    if (!wake_) wake_ = std::make_shared<Mailbox<api::Wake>>(transport_.executor(), event_);
    ticket_ = std::move(held.ticket);
    const auto number = wake_->open();
    ticket_->on_wake([box = wake_, number](api::Wake wake) { box->deliver(number, wake); });
    if (thread_.is_draining()) ticket_->wake(api::Wake::draining);
    watch_peer();
    std::optional<api::Wake> wake = wake_->take();
    while (!wake && !is_peer_gone_ && !is_abandoned_) {
        co_await event_.wait();
        wake = wake_->take();
    }
    ++watch_;  // the read-wait that cancel() completes is not listened to any more
    transport_.cancel();
    ticket_.reset();
    shared_.parked.fetch_sub(1, std::memory_order_relaxed);
    if (is_peer_gone_ || is_abandoned_) co_return std::nullopt;
    co_return wake;
}

void Session::watch_peer() {
    auto ready = [self = shared_from_this(), watch = ++watch_] { self->on_peer_activity(watch); };
    // A full buffer leaves bytes in the socket, which would be readable for ever.
    if (buffer_ && end_ == shared_.limits.header_bytes_max)
        transport_.on_reset(std::move(ready));
    else
        transport_.on_readable(std::move(ready));
}

void Session::on_peer_activity(std::uint64_t watch) {
    if (watch != watch_) return;
    const bool was_full = buffer_ && end_ == shared_.limits.header_bytes_max;
    // What comes before the answer is the next request: kept for later, up to one buffer.
    const IoState state = was_full ? IoState::closed : read_some();
    release_buffer_if_empty();
    if (state != IoState::closed) return watch_peer();
    is_peer_gone_ = true;
    event_.notify();
}

// --- answers ---------------------------------------------------------------------------------

// Answers `failure_` and ends the connection: where the next request would start is unknown.
Task<void> Session::fail(const RequestHead* head) {
    const Problem problem = *std::exchange(failure_, std::nullopt);
    if (problem.kind == Kind::timeout) shared_.timed_out.fetch_add(1, std::memory_order_relaxed);
    if (head == nullptr) started_ = shared_.clock.steady_now();
    ending_ = Ending::close_unread;
    body_ = {};
    const api::Reply reply = shared_.application.failure(problem, head);
    co_await answer(reply, head);
}

api::Reply Session::internal_error(std::string_view where, std::string_view what) {
    log_error("application threw", {{"where", where}, {"error", what}});
    const Problem problem{
        Kind::internal, "internal.error",
        "Something failed on our side; the log has it under the request id."
    };
    return shared_.application.failure(problem, &head_);
}

Task<void> Session::answer(const api::Reply& reply, const RequestHead* head) {
    // Who keeps a connection for weeks is to see the certificate of today, and its authority.
    const bool is_last = thread_.is_draining() || transport_.is_superseded();
    if (is_last && ending_ == Ending::keep) ending_ = Ending::close;
    Persistence persistence = Persistence::keep;
    if (ending_ != Ending::keep)
        persistence = Persistence::close;
    else if (parser_.is_http_1_0())
        persistence = Persistence::keep_http_1_0;
    out_.clear();
    append_response_head(out_, reply, persistence, thread_.fixed_fields());
    const bool is_head_only = head != nullptr && head->method == "HEAD";
    std::string_view body = reply.bytes();
    if (is_head_only || reply.status == 204 || reply.status == 304) body = {};
    const bool is_written = co_await write(out_, body);
    if (!is_written) ending_ = Ending::close;
    finished(head, is_written ? reply.status : kClientGone);
}

// False if the peer is gone or too slow.
Task<bool> Session::write(std::string_view first, std::string_view second) {
    bool has_deadline = false;
    while (!first.empty() || !second.empty()) {
        if (is_abandoned_) co_return false;
        const IoResult wrote = transport_.try_write(first, second);
        if (wrote.state == IoState::closed) co_return false;
        const auto of_first = std::min(wrote.bytes, first.size());
        first.remove_prefix(of_first);
        second.remove_prefix(wrote.bytes - of_first);
        if (wrote.state == IoState::done) continue;
        // Most answers fit into the socket's buffer and never come here.
        if (!has_deadline) enter(Phase::writing, shared_.limits.write_timeout);
        has_deadline = true;
        if (is_overdue_) {
            shared_.timed_out.fetch_add(1, std::memory_order_relaxed);
            co_return false;
        }
        co_await transport_.wait_writable();
    }
    co_return true;
}

// Says that no more will come and reads what the peer still sends, so that it gets to see the
// answer.
Task<void> Session::linger() {
    transport_.end_sending();
    enter(Phase::closing, kLingerTime);
    std::size_t bytes = 0;
    for (;;) {
        begin_ = end_ = 0;
        const Input got = co_await fill();
        if (got != Input::more) co_return;
        bytes += end_;
        if (bytes > kLingerBytesMax) co_return;
    }
}

// --- bytes -----------------------------------------------------------------------------------

std::string_view Session::input() const { return {buffer_.get() + begin_, end_ - begin_}; }

void Session::consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
    release_buffer_if_empty();
}

void Session::release_buffer_if_empty() {
    if (buffer_ && begin_ == end_) {
        begin_ = end_ = 0;
        thread_.give_buffer(std::move(buffer_));
    }
}

// Reads once into what room the buffer has, which must not be none.
IoState Session::read_some() {
    if (!buffer_) buffer_ = thread_.take_buffer();
    if (begin_ > 0) {
        std::copy(buffer_.get() + begin_, buffer_.get() + end_, buffer_.get());
        end_ -= std::exchange(begin_, 0);
    }
    const IoResult got =
        transport_.try_read(buffer_.get() + end_, shared_.limits.header_bytes_max - end_);
    end_ += got.bytes;
    return got.state;
}

// Waits for more bytes.
Task<Session::Input> Session::fill() {
    if (end_ - begin_ == shared_.limits.header_bytes_max) co_return Input::full;
    // Right after an answer nothing is there yet, and asking would be a system call for nothing.
    bool is_worth_trying = phase_ != Phase::idle || is_fresh_;
    for (;;) {
        if (is_worth_trying || thread_.is_draining()) {
            const IoState state = read_some();
            if (state == IoState::done) co_return Input::more;
            release_buffer_if_empty();
            if (state == IoState::closed || is_abandoned_) co_return Input::ended;
            if (is_overdue_) co_return Input::overdue;
            if (phase_ == Phase::idle && thread_.is_draining()) co_return Input::ended;
        }
        co_await transport_.wait_readable();
        is_worth_trying = true;
    }
}

// --- deadlines and ends ----------------------------------------------------------------------

void Session::enter(Phase phase, std::chrono::milliseconds budget) {
    phase_ = phase;
    is_overdue_ = false;
    entered_ = shared_.clock.steady_now();
    thread_.set_deadline(slot_, entered_ + budget);
}

void Session::finished(const RequestHead* head, int status) {
    shared_.application.finished(head, status, shared_.clock.steady_now() - started_);
}

// Called by every sweep until the session has gone on to its next phase: a wait may have ended just
// before it was to be canceled.
void Session::on_overdue() {
    if (phase_ == Phase::parked) {
        if (ticket_) ticket_->wake(api::Wake::timeout);
        return;
    }
    is_overdue_ = true;
    if (phase_ == Phase::running) return event_.notify();
    transport_.cancel();
}

bool Session::gives_way(SteadyTime now) const {
    const auto& limits = shared_.limits;
    const auto waited = now - entered_;
    switch (phase_) {
        case Phase::handshake:
        case Phase::head: return waited >= limits.crowded_header_timeout;
        case Phase::idle:
            return waited >=
                   (is_fresh_ ? limits.crowded_header_timeout : limits.crowded_idle_timeout);
        case Phase::body: return waited >= limits.crowded_body_timeout;
        default: return false;
    }
}

void Session::drain() {
    if (phase_ == Phase::handshake || phase_ == Phase::idle) transport_.cancel();
    if (phase_ == Phase::parked && ticket_) ticket_->wake(api::Wake::draining);
}

void Session::abandon() {
    is_abandoned_ = true;
    transport_.close();
    event_.notify();
}

}  // namespace synapsex::http
