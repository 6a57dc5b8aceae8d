#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>
#include <cstring>

#include "controlplane/platform/http/session.hpp"

namespace synapsex::http {
namespace {

// Of the largest TLS record. Head and body of an answer that fit go out as one.
constexpr std::size_t kRecordMax = 16 * 1024;

IoResult result_of(ssize_t bytes) {
    if (bytes > 0) return {IoState::done, static_cast<std::size_t>(bytes)};
    if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return {IoState::would_block};
    return {IoState::closed};
}

iovec part_of(std::string_view bytes) {
    return {const_cast<char*>(bytes.data()), bytes.size()};  // sendmsg only reads
}

// The record that `first` and `second` begin with. Where it is in pieces it is put together in
// memory of this thread, which TlsStream::write has done with when it returns.
std::string_view next_record(std::string_view first, std::string_view second) {
    if (first.size() >= kRecordMax || second.empty()) return first.substr(0, kRecordMax);
    if (first.empty()) return second.substr(0, kRecordMax);
    thread_local std::array<char, kRecordMax> record;
    const auto of_second = std::min(second.size(), kRecordMax - first.size());
    std::memcpy(record.data(), first.data(), first.size());
    std::memcpy(record.data() + first.size(), second.data(), of_second);
    return {record.data(), first.size() + of_second};
}

// For who forgot the s of https.
constexpr std::string_view kSpeakTls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"
    "Connection: close\r\n\r\n"
    R"({"type":"https://docs.synapsex.ai/problems/request.plain_http","title":"Bad Request",)"
    R"("status":400,"code":"request.plain_http","detail":"This port speaks TLS: use https://."})";

}  // namespace

Transport::Transport(Socket socket, std::shared_ptr<const net::TlsContext> tls)
    : socket_(std::move(socket)) {
    if (!tls) return;
    boost::system::error_code ignored;  // a dead one ends at the first try
    socket_.native_non_blocking(true, ignored);
    tls_ = std::make_unique<net::TlsStream>(std::move(tls), socket_.native_handle());
}

IoResult Transport::result_of(net::TlsResult result, Socket::wait_type& waits_for) {
    switch (result.state) {
        case net::TlsState::done:
            return {IoState::done, result.bytes};
        case net::TlsState::wants_read:
            waits_for = Socket::wait_read;
            return {IoState::would_block};
        case net::TlsState::wants_write:
            waits_for = Socket::wait_write;
            return {IoState::would_block};
        default:
            return {IoState::closed};
    }
}

IoState Transport::try_handshake() {
    const auto result = tls_->handshake();
    if (result.state != net::TlsState::plain_http) return result_of(result, read_waits_for_).state;
    tls_.reset();
    try_write(kSpeakTls, {});
    return IoState::closed;
}

IoResult Transport::try_read(char* to, std::size_t size) {
    if (tls_) return result_of(tls_->read(to, size), read_waits_for_);
    return http::result_of(::recv(socket_.native_handle(), to, size, MSG_DONTWAIT));
}

IoResult Transport::try_write(std::string_view first, std::string_view second) {
    if (tls_) return result_of(tls_->write(next_record(first, second)), write_waits_for_);
    std::array<iovec, 2> parts{part_of(first), part_of(second)};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = second.empty() ? 1 : 2;
    return http::result_of(
        ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL)
    );
}

Task<void> Transport::wait(Socket::wait_type readiness) {
    boost::system::error_code ignored;  // the next try tells
    co_await socket_.async_wait(readiness, asio::redirect_error(kAwait, ignored));
}

Task<void> Transport::wait_readable() {
    // What TLS has taken from the socket already does not make it readable.
    if (tls_ && tls_->has_pending()) co_return;
    co_await wait(read_waits_for_);
}

Task<void> Transport::wait_writable() { return wait(write_waits_for_); }

void Transport::on_readable(std::function<void()> ready) {
    if (tls_ && tls_->has_pending()) return asio::post(executor(), std::move(ready));
    socket_.async_wait(
        read_waits_for_, [ready = std::move(ready)](boost::system::error_code) { ready(); }
    );
}

void Transport::on_reset(std::function<void()> ready) {
    socket_.async_wait(Socket::wait_error, [ready = std::move(ready)](boost::system::error_code) {
        ready();
    });
}

void Transport::cancel() {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

void Transport::end_sending() {
    if (tls_) tls_->end_writing();
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::close() {
    tls_.reset();
    boost::system::error_code ignored;
    socket_.close(ignored);
}

Task<void> Event::wait() {
    if (!is_set_) {
        auto initiation = [this](Handler handler) { waiter_.emplace(std::move(handler)); };
        co_await asio::async_initiate<decltype(kAwait), void()>(std::move(initiation), kAwait);
    }
    is_set_ = false;
}

void Event::notify() {
    is_set_ = true;
    if (!waiter_) return;
    // Posted, not resumed here: whoever notifies may be walking the table of sessions.
    Handler handler = *std::exchange(waiter_, std::nullopt);
    asio::post(std::move(handler));
}

}  // namespace synapsex::http
