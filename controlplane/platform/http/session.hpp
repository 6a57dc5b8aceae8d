#pragma once

// Private to this folder: a connection (Session), the thread it lives on (IoThread), and the few
// pieces they are made of. A session never leaves its thread, so nothing here is locked but the
// Mailbox, by which other threads answer.

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/platform/http/request_parser.hpp"
#include "controlplane/platform/http/response.hpp"
#include "controlplane/platform/http/server.hpp"
#include "shared/base/time.hpp"
#include "shared/net/tls_stream.hpp"

namespace synapsex::http {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

// The executor's own type everywhere: erased to any_io_executor, each step would cost more.
using Executor = asio::io_context::executor_type;
template <class T>
using Task = asio::awaitable<T, Executor>;
inline constexpr asio::use_awaitable_t<Executor> kAwait{};
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Timer = asio::basic_waitable_timer<
    std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

// What all threads of one server share.
struct Shared {
    ServerLimits limits;
    Application& application;
    SystemClock clock{};

    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> open{0};
    std::atomic<std::uint64_t> parked{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> timed_out{0};
    std::atomic<std::uint64_t> handshakes_failed{0};
    std::atomic<std::size_t> body_bytes{0};

    std::mutex mutex{};
    std::condition_variable is_empty{};  // open became 0
};

// One of the connections that connections_max counts, from accept to close.
class Place {
 public:
    explicit Place(Shared& shared) : shared_(shared) { shared_.open.fetch_add(1); }
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

 private:
    Shared& shared_;
};

// What a session holds of body_bytes_in_flight_max.
class BodyShare {
 public:
    explicit BodyShare(Shared& shared) : shared_(shared) {}
    ~BodyShare() { give_back(); }
    BodyShare(const BodyShare&) = delete;
    BodyShare& operator=(const BodyShare&) = delete;

    // False: all together hold too much, and this share stays as it was.
    bool grow_to(std::size_t bytes);
    void give_back();

 private:
    Shared& shared_;
    std::size_t bytes_ = 0;
};

enum class IoState { done, would_block, closed };
struct IoResult {
    IoState state;
    std::size_t bytes = 0;
};

// Every socket call of a session: non-blocking tries, and waits for readiness between them, in
// clear or by TLS on the same descriptor, so that a connection that waits owns no buffer in either.
class Transport {
 public:
    // `tls`: the certificate, or nullptr for clear.
    Transport(Socket socket, std::shared_ptr<const net::TlsContext> tls);

    bool speaks_tls() const { return tls_ != nullptr; }
    // A new connection would be shown another certificate.
    bool is_superseded() const { return tls_ && tls_->is_superseded(); }
    // Of TLS: to be tried until it is done, before anything else. A peer that speaks HTTP in clear
    // is told so.
    IoState try_handshake();

    IoResult try_read(char* to, std::size_t size);
    // Writes from `first`, then from `second`; what is left has to be tried again.
    IoResult try_write(std::string_view first, std::string_view second);
    // Return when it is worth to try again what would have blocked, or after cancel() or close().
    Task<void> wait_readable();
    Task<void> wait_writable();
    // The first also at the peer's end of file, the second only at a reset. `ready` is called on
    // the I/O thread, once, also after cancel().
    void on_readable(std::function<void()> ready);
    void on_reset(std::function<void()> ready);

    void cancel();
    void end_sending();
    void close();
    Executor executor() { return socket_.get_executor(); }

 private:
    Task<void> wait(Socket::wait_type readiness);
    IoResult result_of(net::TlsResult result, Socket::wait_type& waits_for);

    Socket socket_;
    std::unique_ptr<net::TlsStream> tls_;  // ended before its descriptor is closed
    // TLS may have to read before it can write, and the reverse.
    Socket::wait_type read_waits_for_ = Socket::wait_read;
    Socket::wait_type write_waits_for_ = Socket::wait_write;
};

// What a coroutine waits for when no socket tells it: notify() before wait() is not lost.
class Event {
 public:
    Task<void> wait();
    void notify();

 private:
    using Handler =
        asio::async_result<std::decay_t<decltype(kAwait)>, void()>::handler_type;
    std::optional<Handler> waiter_{};
    bool is_set_ = false;
};

// One value from any thread to the session, which may be gone by then, and its server with it. A
// value that is there before the session looks costs no trip through the I/O thread's queue.
template <class T>
class Mailbox : public std::enable_shared_from_this<Mailbox<T>> {
 public:
    Mailbox(Executor executor, Event& event) : executor_(std::move(executor)), event_(&event) {}

    // On the I/O thread. Letters to an earlier number are thrown away.
    std::uint64_t open() {
        const std::lock_guard lock{mutex_};
        value_.reset();
        is_awaited_ = false;
        return ++number_;
    }
    // On the I/O thread: nullopt says that the event will be notified.
    std::optional<T> take() {
        const std::lock_guard lock{mutex_};
        is_awaited_ = !value_;
        return std::exchange(value_, std::nullopt);
    }
    // On the I/O thread, before the session ends.
    void close() {
        const std::lock_guard lock{mutex_};
        event_ = nullptr;
        value_.reset();
        ++number_;
    }
    // Any thread.
    void deliver(std::uint64_t number, T value) {
        std::optional<T> unwanted{std::move(value)};  // destroyed under no lock
        const std::lock_guard lock{mutex_};
        if (number != number_ || value_) return;
        value_.swap(unwanted);
        if (!std::exchange(is_awaited_, false)) return;
        // Under the lock, because close() comes before the end of the I/O thread.
        asio::post(executor_, [self = this->shared_from_this()] {
            if (self->event_ != nullptr) self->event_->notify();
        });
    }

 private:
    std::mutex mutex_;
    const Executor executor_;
    Event* event_;  // written by the I/O thread only
    std::uint64_t number_ = 0;
    bool is_awaited_ = false;
    std::optional<T> value_{};
};

class Session;

// A connection that was taken, and how it is to speak.
struct Welcome {
    Socket socket;
    std::shared_ptr<const net::TlsContext> tls;  // nullptr: in clear
};

// One thread, its io_context and its sessions. Deadlines are swept, not armed: a request costs a
// store into a table and no timer.
class IoThread {
 public:
    explicit IoThread(Shared& shared);

    asio::io_context& context() { return context_; }
    Shared& shared() { return shared_; }
    bool is_draining() const { return is_draining_; }

    // Any thread, before run().
    void run();  // until abandon() and the last session's end
    void start_session(Welcome welcome);
    // On this thread.
    void drain();
    void abandon();
    // Called by every sweep; the acceptor keeps its own deadlines with it.
    void on_sweep(std::function<void()> callback) { on_sweep_ = std::move(callback); }

    // For sessions.
    std::size_t add(Session& session);
    void remove(std::size_t slot);
    void set_deadline(std::size_t slot, SteadyTime deadline) { slots_[slot].deadline = deadline; }
    // A read buffer of limits.header_bytes_max bytes, only while there is something in it.
    std::unique_ptr<char[]> take_buffer();
    void give_buffer(std::unique_ptr<char[]> buffer);
    // "Date: …\r\nServer: …\r\n", not older than a sweep.
    std::string_view fixed_fields() const { return fixed_fields_; }

 private:
    struct Slot {
        SteadyTime deadline;
        Session* session;
    };

    Task<void> sweep();
    void close_overdue();
    void refresh_fixed_fields();

    Shared& shared_;
    asio::io_context context_{1};
    asio::executor_work_guard<Executor> work_;
    Timer sweep_timer_;
    std::function<void()> on_sweep_{};
    std::vector<Slot> slots_{};
    std::vector<std::unique_ptr<char[]>> spare_buffers_{};
    std::string fixed_fields_{};
    Timestamp fixed_fields_at_{};
    bool is_draining_ = false;
    bool is_abandoned_ = false;
};

// One connection. run() is the whole story: read a head, ask the application what to do with it,
// read the body, let it run, perhaps park, answer, and again. The session owns itself through the
// coroutine's completion handler.
class Session : public std::enable_shared_from_this<Session> {
 public:
    Session(IoThread& thread, Welcome welcome, std::unique_ptr<Place> place);
    ~Session();

    static void start(IoThread& thread, Welcome welcome, std::unique_ptr<Place> place);

    // All on the I/O thread, never from within run().
    void on_overdue();
    // Whether it has held its connection long enough without asking for anything, if others need
    // it.
    bool gives_way(SteadyTime now) const;
    void drain();
    void abandon();  // whatever it is doing: it ends before the loop next runs dry

 private:
    friend class IoThread;

    enum class Phase { handshake, idle, head, body, running, parked, writing, closing };
    // How waiting for bytes ended.
    enum class Input { more, full, ended, overdue };
    // What came of reading a head or a body.
    enum class Read { request, failure, ended };
    enum class Ending { keep, close, close_unread };

    Task<void> run();
    Task<bool> shake_hands();
    Task<Read> read_head();
    Task<Read> read_body(std::size_t bytes_max);
    Task<void> serve();
    Task<std::optional<api::Reply>> make_reply(Plan plan);
    Task<std::optional<api::Reply>> hold(api::HeldReply held);
    Task<std::optional<api::Wake>> park(api::HeldReply& held);
    // Nullopt: the server is gone, nobody waits.
    Task<std::optional<api::Outcome>> await_outcome();
    Task<void> fail(const RequestHead* head);
    Task<void> answer(const api::Reply& reply, const RequestHead* head);
    Task<bool> write(std::string_view first, std::string_view second);
    Task<void> linger();
    Task<Input> fill();

    Plan plan();
    void run_plan(const Plan& plan);
    api::Reply internal_error(std::string_view where, std::string_view what);
    api::Reply give_up_waiting();
    void watch_peer();
    void on_peer_activity(std::uint64_t watch);
    void enter(Phase phase, std::chrono::milliseconds budget);
    void finished(const RequestHead* head, int status);

    std::string_view input() const;
    void consume(std::size_t bytes);
    IoState read_some();
    void release_buffer_if_empty();

    const std::unique_ptr<Place> place_;  // given back last
    IoThread& thread_;
    Shared& shared_;
    Transport transport_;
    std::size_t slot_ = 0;
    Phase phase_ = Phase::idle;
    Ending ending_ = Ending::keep;
    bool is_overdue_ = false;    // the deadline of this phase passed
    bool is_abandoned_ = false;
    bool is_peer_gone_ = false;  // found out while parked
    bool is_fresh_ = true;       // no request yet: its bytes may have come with the connection

    RequestParser parser_{};
    RequestHead head_{};
    std::string body_{};
    BodyShare body_share_;
    std::optional<Problem> failure_{};
    SteadyTime started_{};
    SteadyTime entered_{};  // its phase

    std::unique_ptr<char[]> buffer_{};
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::string out_{};

    Event event_{};
    std::shared_ptr<Mailbox<api::Outcome>> outcome_;
    std::shared_ptr<Mailbox<api::Wake>> wake_{};
    std::unique_ptr<api::Ticket> ticket_{};
    std::uint64_t watch_ = 0;
};

}  // namespace synapsex::http
