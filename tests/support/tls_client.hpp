#pragma once

// The client's side of TLS for tests, on a socket that is connected: blocking or not, as the socket
// is. It trusts one certificate and wants the name localhost.

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace synapsex::testing {

struct TlsClientWish {
    std::filesystem::path trusts;
    int oldest = TLS1_2_VERSION;
    int newest = TLS1_3_VERSION;
    const char* ciphers12 = nullptr;      // nullptr: OpenSSL's
    std::string_view protocols{};         // ALPN, on the wire: "\x08http/1.1"
    std::string name = "localhost";
};

class TlsClient {
 public:
    TlsClient(int descriptor, const TlsClientWish& wish)
        : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), ssl_(nullptr, &SSL_free) {
        SSL_CTX_set_security_level(context_.get(), 0);  // old versions and ciphers can be tried
        SSL_CTX_set_min_proto_version(context_.get(), wish.oldest);
        SSL_CTX_set_max_proto_version(context_.get(), wish.newest);
        if (wish.ciphers12) SSL_CTX_set_cipher_list(context_.get(), wish.ciphers12);
        SSL_CTX_load_verify_file(context_.get(), wish.trusts.c_str());
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
        ssl_.reset(SSL_new(context_.get()));
        if (!wish.protocols.empty())
            SSL_set_alpn_protos(
                ssl_.get(), reinterpret_cast<const unsigned char*>(wish.protocols.data()),
                static_cast<unsigned>(wish.protocols.size())
            );
        SSL_set1_host(ssl_.get(), wish.name.c_str());
        std::string name = wish.name;
        SSL_ctrl(
            ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()
        );
        SSL_set_fd(ssl_.get(), descriptor);
    }

    // 1: done; else as the calls of OpenSSL.
    int connect() { return clean(SSL_connect(ssl_.get())); }
    int send(std::string_view bytes) {
        return clean(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())));
    }
    int receive(char* to, std::size_t size) {
        return clean(SSL_read(ssl_.get(), to, static_cast<int>(size)));
    }
    // On a non-blocking socket: nothing is there to be read.
    bool is_quiet() {
        char byte = 0;
        const int got = SSL_peek(ssl_.get(), &byte, 1);
        const bool waits = got <= 0 && SSL_get_error(ssl_.get(), got) == SSL_ERROR_WANT_READ;
        ERR_clear_error();
        return waits;
    }
    bool has_pending() const { return SSL_pending(ssl_.get()) > 0; }
    void end_sending() { clean(SSL_shutdown(ssl_.get())); }
    void update_keys() { clean(SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED)); }
    bool got_goodbye() const {
        return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }

    std::string version() const { return SSL_get_version(ssl_.get()); }
    std::string protocol() const {
        const unsigned char* text = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(ssl_.get(), &text, &size);
        return {reinterpret_cast<const char*>(text), size};
    }

 private:
    static int clean(int outcome) {
        ERR_clear_error();
        return outcome;
    }

    std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
    std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
};

}  // namespace synapsex::testing
