#include "shared/net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "shared/crypto/hash.hpp"
#include "shared/crypto/public_key_pin.hpp"

namespace synapsex::net {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// Of TLS 1.2 what RFC 9325 recommends; 1.3 has no weak ones.
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kGroups = "X25519:P-256:P-384";
// An agent that lost its connection comes back once; more tickets are bytes for nothing.
constexpr std::size_t kTickets = 1;

void check(long ok, const char* what) {
    if (ok != 1) throw std::runtime_error(std::string{"OpenSSL: "} + what + " failed");
}

// The reason of the first error, which the others follow from; all of them are forgotten.
std::string first_error() {
    const auto code = ERR_peek_error();
    const char* reason = ERR_SYSTEM_ERROR(code) ? std::strerror(ERR_GET_REASON(code))
                                                : ERR_reason_error_string(code);
    ERR_clear_error();
    return reason ? reason : "unknown reason";
}

Problem unreadable(std::string code, const std::filesystem::path& file, const std::string& why) {
    return {Kind::invalid, std::move(code), file.string() + ": " + why};
}

// Why a file is no private one of a server; nullopt if it is.
std::optional<std::string> why_not_private(const std::filesystem::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) return std::strerror(errno);
    if (!S_ISREG(status.st_mode)) return "is no ordinary file";
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return "others than its owner may use it; chmod 0600";
    return std::nullopt;
}

// The client's first choice of ours. One that speaks other protocols only is told so; one that says
// nothing gets HTTP/1.1.
int choose_protocol(
    SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
    unsigned offered_size, void*
) {
    static constexpr std::array<unsigned char, 9> kHttp11{
        8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* found = nullptr;
    const int outcome = SSL_select_next_proto(
        &found, chosen_size, kHttp11.data(), kHttp11.size(), offered, offered_size
    );
    *chosen = found;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Context make_context() {
    Context context{SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
    if (!context) throw std::runtime_error("OpenSSL: SSL_CTX_new failed");
    auto* raw = context.get();
    check(SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION), "set_min_proto_version");
    check(SSL_CTX_set_cipher_list(raw, kCiphers12), "set_cipher_list");
    check(SSL_CTX_set1_groups_list(raw, kGroups), "set1_groups_list");
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // A connection that waits holds no record buffers; a write may go out in parts, and go on from
    // a copy of what was left.
    SSL_CTX_set_mode(
        raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    );
    // One record that is not for the application (a ticket, new keys) a read, so that a peer with
    // many of them does not keep the thread.
    SSL_CTX_clear_mode(raw, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    check(SSL_CTX_set_num_tickets(raw, kTickets), "set_num_tickets");
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    return context;
}

Timestamp instant_of(const ASN1_TIME* time) {
    std::tm parts{};
    check(ASN1_TIME_to_tm(time, &parts), "ASN1_TIME_to_tm");
    return Timestamp{std::chrono::seconds{::timegm(&parts)}};
}

std::string subject_of(const X509* certificate) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> text{BIO_new(BIO_s_mem()), &BIO_free};
    X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    char* begin = nullptr;
    const auto size = BIO_get_mem_data(text.get(), &begin);
    return size > 0 ? std::string{begin, static_cast<std::size_t>(size)} : std::string{};
}

// As it is shown: the server's own, then those above it.
std::vector<const X509*> chain_of(SSL_CTX* context) {
    std::vector<const X509*> chain{SSL_CTX_get0_certificate(context)};
    STACK_OF(X509)* above = nullptr;
    SSL_CTX_get0_chain_certs(context, &above);
    for (int i = 0; i < sk_X509_num(above); ++i) chain.push_back(sk_X509_value(above, i));
    return chain;
}

CertificateInfo info_of(const std::vector<const X509*>& chain) {
    const X509* own = chain.front();
    CertificateInfo info;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned digest_size = 0;
    check(X509_digest(own, EVP_sha256(), digest.data(), &digest_size), "X509_digest");
    info.fingerprint = crypto::to_hex({reinterpret_cast<const char*>(digest.data()), digest_size});
    info.not_before = instant_of(X509_get0_notBefore(own));
    const auto end_of = [](const X509* one) { return instant_of(X509_get0_notAfter(one)); };
    const auto* first = *std::ranges::min_element(chain, {}, end_of);
    info.subject = subject_of(first);
    info.not_after = end_of(first);
    return info;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsFiles& files) {
    auto context = make_context();
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1)
        return unreadable("tls.certificate_unreadable", files.certificate, first_error());
    if (const auto why = why_not_private(files.key))
        return unreadable("tls.key_unreadable", files.key, *why);
    // OpenSSL asks on the terminal for the password of a key that has one; nobody sits there.
    SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
    if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        const auto reason = ERR_GET_REASON(ERR_peek_last_error());
        const bool is_of_another =
            reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH;
        if (!is_of_another) return unreadable("tls.key_unreadable", files.key, first_error());
    }
    if (SSL_CTX_check_private_key(context.get()) != 1) {
        ERR_clear_error();
        return unreadable(
            "tls.key_mismatch", files.key,
            "is not the key of the certificate in " + files.certificate.string()
        );
    }
    const auto chain = chain_of(context.get());
    const auto is_pinned = [&](const X509* one) {
        return crypto::public_key_pin(one) == files.authority_pin;
    };
    if (!files.authority_pin.empty() && std::ranges::none_of(chain, is_pinned))
        return unreadable(
            "tls.authority_not_shown", files.certificate,
            "agents pin the authority " + files.authority_pin +
                ", so its certificate has to be in this file, below the server's own"
        );
    auto info = info_of(chain);
    return std::shared_ptr<const TlsContext>{new TlsContext{context.release(), std::move(info)}};
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

}  // namespace synapsex::net
