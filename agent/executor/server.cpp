#include "agent/executor/server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "shared/base/log.hpp"

namespace synapsex::executor {

namespace {

Problem socket_problem(std::string_view code, const std::string& what) {
    return {.kind = Kind::internal, .code = std::string{code}, .detail = what};
}

Problem failed(const std::string& what) {
    return socket_problem("executor.socket_failed", what + ": " + std::strerror(errno));
}

// Of the socket's file, not of the socket; 0 if there is none.
ino_t inode_of(const std::filesystem::path& path) {
    struct stat facts {};
    return ::lstat(path.c_str(), &facts) == 0 ? facts.st_ino : 0;
}

// Whoever may write to the directory may put another socket in our place.
Result<Done> check_directory(const std::filesystem::path& path, uid_t worker_uid) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0) return failed("Cannot look at " + path.string());
    const bool is_ours =
        facts.st_uid == 0 || facts.st_uid == ::geteuid() || facts.st_uid == worker_uid;
    if (S_ISDIR(facts.st_mode) && is_ours && (facts.st_mode & S_IWOTH) == 0) return Done{};
    return socket_problem(
        "executor.socket_unsafe",
        path.string() +
            " must be a directory (no link) of root, the executor's or the worker's user, that "
            "others cannot write to."
    );
}

// The socket is born with its owner and mode: changing them by name afterwards could be led astray
// by a link, since the worker owns the directory.
bool bind_as(const Descriptor& socket, const sockaddr_un& address, gid_t group) {
    const auto own_group = ::getegid();
    const auto own_mask = ::umask(S_IXUSR | S_IXGRP | S_IRWXO);
    const bool has_group = own_group == group || ::setegid(group) == 0;
    const bool is_bound =
        has_group &&
        ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const int error = errno;
    if (own_group != group && ::setegid(own_group) != 0) std::abort();
    ::umask(own_mask);
    errno = error;
    return is_bound;
}

}  // namespace

Result<Server> Server::open(const SocketRules& rules, const Clock& clock, Handler handler) {
    SYNAPSEX_CHECK(check_directory(rules.path.parent_path(), rules.worker_uid));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = rules.path.string();
    if (path.size() >= sizeof address.sun_path)
        return socket_problem("executor.path_too_long", path + " is too long a path for a socket.");
    path.copy(address.sun_path, path.size());

    SYNAPSEX_TRY(auto lock, RunLock::take(rules.lock, "executor"));
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket.is_open()) return failed("Cannot make a socket");
    // Left behind by an executor that was killed.
    ::unlink(path.c_str());
    if (!bind_as(socket, address, rules.worker_gid)) return failed("Cannot bind " + path);
    if (::listen(socket.number(), kConnectionsMax) != 0) return failed("Cannot listen on " + path);
    return Server{std::move(socket), std::move(lock), rules, clock, std::move(handler)};
}

Server::Server(
    Descriptor listener,
    RunLock lock,
    const SocketRules& rules,
    const Clock& clock,
    Handler handler
)
    : listener_(std::move(listener)),
      lock_(std::move(lock)),
      path_(rules.path),
      inode_(inode_of(rules.path)),
      worker_uid_(rules.worker_uid),
      request_time_(rules.request_time),
      clock_(&clock),
      handler_(std::move(handler)) {}

void Server::run(int stop_descriptor) {
    serve(stop_descriptor);
    remove_socket();
}

void Server::remove_socket() const {
    if (inode_ != 0 && inode_of(path_) == inode_) ::unlink(path_.c_str());
}

void Server::serve(int stop_descriptor) {
    std::array<pollfd, kConnectionsMax + 2> polled{};
    while (true) {
        polled[0] = {.fd = stop_descriptor, .events = POLLIN, .revents = 0};
        // With all places taken newcomers wait in the listener's queue; a place is free
        // when a deadline passes.
        const int listener = is_accepting() ? listener_.number() : -1;
        polled[1] = {.fd = listener, .events = POLLIN, .revents = 0};
        const auto count = connections_.size();
        for (std::size_t i = 0; i < count; ++i)
            polled[i + 2] = {
                .fd = connections_[i].socket.number(), .events = POLLIN, .revents = 0
            };
        ::poll(polled.data(), count + 2, poll_time());
        if (polled[0].revents != 0) return;
        for (std::size_t i = 0; i < count; ++i)
            if (polled[i + 2].revents != 0) read_from(connections_[i]);
        std::erase_if(connections_, [&](const Connection& connection) {
            return connection.is_done || connection.deadline.is_expired(*clock_);
        });
        if (polled[1].revents != 0) accept_connection();
    }
}

bool Server::is_accepting() const {
    return connections_.size() < kConnectionsMax && clock_->steady_now() >= accepts_at_;
}

int Server::poll_time() const {
    const bool is_paused = clock_->steady_now() < accepts_at_;
    if (connections_.empty() && !is_paused) return -1;
    auto first = is_paused ? Deadline::at(accepts_at_) : Deadline::never();
    for (const auto& connection : connections_) first = first.earlier(connection.deadline);
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(first.remaining(*clock_));
    return static_cast<int>(time.count());
}

void Server::accept_connection() {
    Descriptor socket{
        ::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)
    };
    // The client still waits in the queue, so the listener would be ready again and again.
    const bool is_short =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (!socket.is_open() && is_short) accepts_at_ = clock_->steady_now() + kAcceptPause;
    if (!socket.is_open()) return;
    const auto peer = peer_of(socket.number());
    const bool is_of_worker = peer == Peer::worker;
    const auto taken = std::ranges::count_if(connections_, &Connection::is_of_worker);
    const bool is_over = is_of_worker && std::cmp_greater_equal(taken, kWorkerConnectionsMax);
    if (peer == Peer::stranger || is_over) return;
    connections_.push_back(
        {std::move(socket), Deadline::after(*clock_, request_time_), {}, is_of_worker}
    );
}

Server::Peer Server::peer_of(int socket) const {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return Peer::stranger;
    if (peer.uid == 0 || peer.uid == ::geteuid()) return Peer::trusted;
    if (peer.uid == worker_uid_) return Peer::worker;
    log_warning("a stranger was turned away", {{"uid", peer.uid}, {"pid", peer.pid}});
    return Peer::stranger;
}

void Server::read_from(Connection& connection) {
    std::array<char, 4096> block;
    const auto count = ::recv(connection.socket.number(), block.data(), block.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
        connection.is_done = true;
        return;
    }
    switch (connection.reader.add({block.data(), static_cast<std::size_t>(count)})) {
        case FrameReader::State::incomplete: return;
        case FrameReader::State::too_large: connection.is_done = true; return;
        case FrameReader::State::complete: answer(connection); return;
    }
}

void Server::answer(Connection& connection) {
    const auto verb = decode_request(connection.reader.message());
    const auto reply = verb ? handler_(*verb)
                            : Answer{
                                  .error_code = "executor.bad_request",
                                  .error_detail = "The request is not one that this release knows.",
                              };
    const auto frame = make_frame(encode_answer(reply));
    // Fits into any socket's buffer; a client that reads nothing loses its answer.
    ::send(connection.socket.number(), frame.data(), frame.size(), MSG_NOSIGNAL);
    connection.is_done = true;
}

}  // namespace synapsex::executor
