#pragma once

// TLS on a socket that somebody else owns and waits for: every call is a try that says what it
// waits for, as recv() and send() do. Between calls an established stream holds no record buffers.
//
// It writes with write(2): whoever uses it ignores SIGPIPE.

#include <cstddef>
#include <memory>
#include <string_view>

#include "shared/net/tls_context.hpp"

struct ssl_st;

namespace synapsex::net {

enum class TlsState {
    done,
    wants_read,   // try again when the socket is readable; a write may want that, too
    wants_write,
    closed,       // the peer ended it, or what it said is no TLS: nothing more can be done
    plain_http,   // of a handshake: the peer speaks HTTP without TLS; nothing was written yet
};

struct TlsResult {
    TlsState state;
    std::size_t bytes = 0;
};

class TlsStream {
 public:
    // The server's side. `descriptor` is non-blocking and outlives the stream.
    TlsStream(std::shared_ptr<const TlsContext> context, int descriptor);
    // Says goodbye (close_notify), as far as the socket takes it at once.
    ~TlsStream();
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    // Until it is done, reads and writes must not be tried.
    TlsResult handshake();
    TlsResult read(char* to, std::size_t size);
    // After wants_read or wants_write the same bytes have to be written again, at any address.
    TlsResult write(std::string_view bytes);
    // A read would get bytes without the socket's becoming readable.
    bool has_pending() const;
    // The peer would be shown another certificate by now.
    bool is_superseded() const { return context_->is_superseded(); }

    // No more will be written; the peer may go on. As far as the socket takes it at once.
    void end_writing();

 private:
    TlsResult result_of(int outcome, std::size_t bytes);

    const std::shared_ptr<const TlsContext> context_;
    const std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
    bool is_broken_ = true;  // or not begun: a goodbye would be an error
};

}  // namespace synapsex::net
