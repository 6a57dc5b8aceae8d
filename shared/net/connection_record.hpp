#pragma once

// What a request's connection was like, for a person who looks for what is wrong with it. Filled by
// CurlHttpClient where CurlOptions::record names one, with each request and also by one that fails.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/time.hpp"

struct ssl_ctx_st;
struct x509_store_ctx_st;

namespace synapsex::net {

class PinnedAuthorities;

struct ShownCertificate {
    std::string subject;             // "CN=cp.example.com"
    std::vector<std::string> names;  // DNS names and addresses that it is for, at most 16
    std::string pin;                 // crypto/public_key_pin.hpp
    bool is_authority = false;
    Timestamp not_before{};
    Timestamp not_after{};
};

struct ConnectionRecord {
    // nullopt: not come so far. Since the start of the request.
    std::optional<std::chrono::microseconds> resolved_after{};
    std::optional<std::chrono::microseconds> connected_after{};
    std::optional<std::chrono::microseconds> secured_after{};
    std::chrono::microseconds ended_after{};
    bool is_connected = false;  // however it ended
    std::string address{};  // connected to: of the server, or of the proxy
    int proxy_status = 0;   // what the proxy answered to CONNECT; 0: nothing
    std::string tls_version{};
    std::string cipher{};
    std::vector<ShownCertificate> chain{};  // as shown, the server's first, at most 8
    std::optional<Timestamp> server_time{};  // of the answer's Date: whole seconds
};

// Writes down what is shown in the handshakes of a context, and leaves the verdict on it to
// `judge`, or to OpenSSL if that is null. All of it outlives the context.
class HandshakeWitness {
 public:
    HandshakeWitness(ConnectionRecord& record, PinnedAuthorities* judge)
        : record_(record), judge_(judge) {}
    void attend(ssl_ctx_st* context);

 private:
    static int on_chain(x509_store_ctx_st* shown, void* self);

    ConnectionRecord& record_;
    PinnedAuthorities* judge_;
};

}  // namespace synapsex::net
