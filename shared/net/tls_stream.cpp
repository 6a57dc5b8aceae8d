#include "shared/net/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <climits>

namespace synapsex::net {

TlsStream::TlsStream(std::shared_ptr<const TlsContext> context, int descriptor)
    : context_(std::move(context)), ssl_(SSL_new(context_->native()), &SSL_free) {
    if (!ssl_ || SSL_set_fd(ssl_.get(), descriptor) != 1) {
        ERR_clear_error();
        throw std::runtime_error("OpenSSL: no room for a connection");
    }
    SSL_set_accept_state(ssl_.get());
}

TlsStream::~TlsStream() { end_writing(); }

TlsResult TlsStream::handshake() {
    ERR_clear_error();
    const auto result = result_of(SSL_do_handshake(ssl_.get()), 0);
    if (result.state == TlsState::done) is_broken_ = false;
    return result;
}

TlsResult TlsStream::read(char* to, std::size_t size) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int outcome = SSL_read_ex(ssl_.get(), to, size, &bytes);
    return result_of(outcome, bytes);
}

TlsResult TlsStream::write(std::string_view bytes) {
    ERR_clear_error();
    std::size_t written = 0;
    const int outcome = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    return result_of(outcome, written);
}

bool TlsStream::has_pending() const { return SSL_pending(ssl_.get()) > 0; }

void TlsStream::end_writing() {
    if (is_broken_) return;
    is_broken_ = true;  // said once
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

TlsResult TlsStream::result_of(int outcome, std::size_t bytes) {
    if (outcome == 1) return {TlsState::done, bytes};
    switch (SSL_get_error(ssl_.get(), outcome)) {
        case SSL_ERROR_WANT_READ:
            return {TlsState::wants_read};
        case SSL_ERROR_WANT_WRITE:
            return {TlsState::wants_write};
        case SSL_ERROR_ZERO_RETURN:  // the peer says goodbye, and may be given what is left
            return {TlsState::closed};
        default:
            break;
    }
    is_broken_ = true;
    const bool is_plain_http = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
    ERR_clear_error();
    return {is_plain_http ? TlsState::plain_http : TlsState::closed};
}

}  // namespace synapsex::net
