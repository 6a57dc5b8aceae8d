#include "shared/crypto/public_key_pin.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>

#include "shared/crypto/hash.hpp"

namespace synapsex::crypto {

std::string public_key_pin(const X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (size <= 0) throw std::runtime_error("OpenSSL: i2d_X509_PUBKEY failed");
    const std::string bytes{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_free(der);
    return to_base64url(sha256(bytes));
}

Result<std::string> public_key_pin_of_file(const std::filesystem::path& path) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> file{
        BIO_new_file(path.c_str(), "r"), &BIO_free};
    const std::unique_ptr<X509, decltype(&X509_free)> certificate{
        file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr, &X509_free};
    ERR_clear_error();
    if (!certificate)
        return Problem{
            Kind::invalid, "crypto.certificate_unreadable",
            path.string() + ": there is no certificate in PEM that can be read"
        };
    return public_key_pin(certificate.get());
}

bool is_public_key_pin(std::string_view text) {
    const auto bytes = from_base64url(text);
    return text.size() == kPublicKeyPinSize && bytes && bytes->size() == 32;
}

}  // namespace synapsex::crypto
