#pragma once

// A server's certificate and what it negotiates: TLS 1.3, or 1.2 with forward secrecy and AEAD (the
// floor of RFC 9325), ALPN "http/1.1", no renegotiation, no compression, no session kept in memory.
// Immutable: another certificate is another context, and connections keep the one they began with.
//
// Prefer TlsCertificate (tls_certificate.hpp) for files that are renewed while the server runs.

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

struct ssl_ctx_st;

namespace synapsex::net {

struct TlsFiles {
    std::filesystem::path certificate;  // PEM: the server's, then those up to the authority
    std::filesystem::path key;          // PEM, readable by its owner alone
    // Of the authority that clients pin (crypto/public_key_pin.hpp), and so have to be shown;
    // empty: they pin none.
    std::string authority_pin{};

    friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

struct CertificateInfo {
    std::string subject;      // "CN=cp.example.com", RFC 2253; of the chain's first to end
    std::string fingerprint;  // SHA-256 of the certificate, hex
    Timestamp not_before{};
    Timestamp not_after{};
};

class TlsContext {
 public:
    // Problems name the file: tls.certificate_unreadable (also: no certificate in it),
    // tls.key_unreadable (also: others than its owner may read it), tls.key_mismatch,
    // tls.authority_not_shown (the pinned one is not in the certificate's file). An expired
    // certificate loads: clients say so, and the server that renews it must be able to start.
    static Result<std::shared_ptr<const TlsContext>> load(const TlsFiles& files);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    const CertificateInfo& certificate() const { return certificate_; }
    ssl_ctx_st* native() const { return context_; }

    // Whether a newer one has taken its place. Any thread.
    bool is_superseded() const { return is_superseded_.load(std::memory_order_relaxed); }

 private:
    friend class TlsCertificate;
    TlsContext(ssl_ctx_st* context, CertificateInfo certificate)
        : context_(context), certificate_(std::move(certificate)) {}

    ssl_ctx_st* const context_;
    const CertificateInfo certificate_;
    mutable std::atomic<bool> is_superseded_{false};
};

}  // namespace synapsex::net
