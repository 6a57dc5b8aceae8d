#include "agent/executor/client.hpp"
#include "shared/base/descriptor.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>


namespace synapsex::executor {

namespace {

Problem unreachable(const std::string& what) {
    return {
        .kind = Kind::unavailable,
        .code = "executor.unreachable",
        .detail = what + ": " + std::strerror(errno),
    };
}

timeval part_of(std::chrono::milliseconds time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const std::chrono::microseconds rest = time - seconds;
    return {.tv_sec = seconds.count(), .tv_usec = rest.count()};
}

Result<Descriptor> connect_to(const std::string& path, std::chrono::milliseconds time) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    errno = ENAMETOOLONG;
    if (path.size() >= sizeof address.sun_path) return unreachable(path);
    path.copy(address.sun_path, path.size());
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!socket.is_open()) return unreachable("Cannot make a socket");
    // Also bounds connect(), which waits while the listener's queue is full.
    const auto limit = part_of(time);
    ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const auto* plain = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(socket.number(), plain, sizeof address) != 0)
        return unreachable("No executor listens on " + path);
    return socket;
}

}  // namespace

Result<Answer> ask(
    const std::filesystem::path& socket_path, Verb verb, std::chrono::milliseconds time
) {
    // A third each for connecting, sending and waiting for the answer, which comes in one piece.
    SYNAPSEX_TRY(const auto socket, connect_to(socket_path.string(), time / 3));
    const auto frame = make_frame(encode_request(verb));
    const auto sent = ::send(socket.number(), frame.data(), frame.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(frame.size()))
        return unreachable("The executor does not read");
    FrameReader reader;
    std::array<char, 4096> block;
    auto state = FrameReader::State::incomplete;
    while (state == FrameReader::State::incomplete) {
        const auto count = ::recv(socket.number(), block.data(), block.size(), 0);
        if (count == 0) errno = ECONNRESET;
        if (count <= 0) return unreachable("The executor does not answer");
        state = reader.add({block.data(), static_cast<std::size_t>(count)});
    }
    auto answer = decode_answer(reader.message());
    errno = EBADMSG;
    if (state == FrameReader::State::too_large || !answer)
        return unreachable("The executor's answer makes no sense");
    return *std::move(answer);
}

}  // namespace synapsex::executor
