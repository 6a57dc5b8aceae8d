#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>

#include "controlplane/platform/http/session.hpp"

namespace synapsex::http {
namespace {

IoResult result_of(ssize_t bytes) {
    if (bytes > 0) return {IoState::done, static_cast<std::size_t>(bytes)};
    if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return {IoState::would_block};
    return {IoState::closed};
}

iovec part_of(std::string_view bytes) {
    return {const_cast<char*>(bytes.data()), bytes.size()};  // sendmsg only reads
}

}  // namespace

IoResult Transport::try_read(char* to, std::size_t size) {
    return result_of(::recv(socket_.native_handle(), to, size, MSG_DONTWAIT));
}

IoResult Transport::try_write(std::string_view first, std::string_view second) {
    std::array<iovec, 2> parts{part_of(first), part_of(second)};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = second.empty() ? 1 : 2;
    return result_of(::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

Task<void> Transport::wait_readable() {
    boost::system::error_code ignored;  // the next try tells
    co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(kAwait, ignored));
}

Task<void> Transport::wait_writable() {
    boost::system::error_code ignored;
    co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(kAwait, ignored));
}

void Transport::on_readable(std::function<void()> ready) {
    socket_.async_wait(Socket::wait_read, [ready = std::move(ready)](boost::system::error_code) {
        ready();
    });
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
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::close() {
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
