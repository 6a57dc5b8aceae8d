#include "shared/net/connection_record.hpp"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <exception>
#include <memory>

#include "shared/crypto/public_key_pin.hpp"
#include "shared/net/pinned_authorities.hpp"

namespace synapsex::net {

namespace {

constexpr int kCertificatesMax = 8;
constexpr int kNamesMax = 16;

Timestamp instant_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return Timestamp{std::chrono::seconds{::timegm(&parts)}};
}

std::string subject_of(const X509* certificate) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> text{BIO_new(BIO_s_mem()), &BIO_free};
    if (!text) return {};
    X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    char* start = nullptr;
    const auto size = BIO_get_mem_data(text.get(), &start);
    return size > 0 ? std::string{start, static_cast<std::size_t>(size)} : std::string{};
}

std::string text_of(const ASN1_STRING* value) {
    return {
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
        static_cast<std::size_t>(ASN1_STRING_length(value))
    };
}

std::string address_text(const ASN1_STRING* value) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = ASN1_STRING_length(value) == 4 ? AF_INET : AF_INET6;
    if (family == AF_INET6 && ASN1_STRING_length(value) != 16) return {};
    ::inet_ntop(family, ASN1_STRING_get0_data(value), text.data(), text.size());
    return text.data();
}

std::vector<std::string> names_of(const X509* certificate) {
    std::vector<std::string> names;
    const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> found{
        static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)
        ),
        &GENERAL_NAMES_free
    };
    const int count = found ? sk_GENERAL_NAME_num(found.get()) : 0;
    for (int i = 0; i < std::min(count, kNamesMax); ++i) {
        const auto* name = sk_GENERAL_NAME_value(found.get(), i);
        if (name->type == GEN_DNS) names.push_back(text_of(name->d.dNSName));
        if (name->type == GEN_IPADD) names.push_back(address_text(name->d.iPAddress));
    }
    return names;
}

ShownCertificate shown_of(X509* certificate) {
    return {
        .subject = subject_of(certificate),
        .names = names_of(certificate),
        .pin = crypto::public_key_pin(certificate),
        .is_authority = X509_check_ca(certificate) != 0,
        .not_before = instant_of(X509_get0_notBefore(certificate)),
        .not_after = instant_of(X509_get0_notAfter(certificate)),
    };
}

}  // namespace

void HandshakeWitness::attend(SSL_CTX* context) {
    SSL_CTX_set_cert_verify_callback(context, &HandshakeWitness::on_chain, this);
}

// OpenSSL called: no exception may go through it.
int HandshakeWitness::on_chain(X509_STORE_CTX* shown, void* self) {
    auto& witness = *static_cast<HandshakeWitness*>(self);
    try {
        auto* const chain = X509_STORE_CTX_get0_untrusted(shown);
        witness.record_.chain.clear();
        for (int i = 0; i < std::min(sk_X509_num(chain), kCertificatesMax); ++i)
            witness.record_.chain.push_back(shown_of(sk_X509_value(chain, i)));
    } catch (const std::exception&) {
        witness.record_.chain.clear();
    }
    if (witness.judge_ != nullptr) return witness.judge_->accepts(shown) ? 1 : 0;
    return X509_verify_cert(shown) == 1 ? 1 : 0;
}

}  // namespace synapsex::net
