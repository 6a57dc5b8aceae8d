#pragma once

// A self-signed certificate for localhost and 127.0.0.1, in files of a folder of its own.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "shared/net/tls_context.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::testing {

struct CertificateWish {
    std::string name = "localhost";       // CN
    long valid_from_seconds = -3600;      // from now
    long valid_until_seconds = 24 * 3600;
};

class TestCertificate {
 public:
    explicit TestCertificate(const CertificateWish& wish = {}) { renew(wish); }

    const net::TlsFiles& files() const { return files_; }

    // Another key and certificate in the same files, renamed over as certbot does.
    void renew(const CertificateWish& wish = {}) {
        const Owned<EVP_PKEY> key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
        const Owned<X509> certificate{make(key.get(), wish), &X509_free};
        write(files_.key, [&](std::FILE* file) {
            return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
        write(files_.certificate, [&](std::FILE* file) {
            return PEM_write_X509(file, certificate.get());
        });
    }

 private:
    template <class T>
    using Owned = std::unique_ptr<T, void (*)(T*)>;

    static X509* make(EVP_PKEY* key, const CertificateWish& wish) {
        X509* certificate = X509_new();
        X509_set_version(certificate, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), wish.valid_from_seconds);
        X509_gmtime_adj(X509_getm_notAfter(certificate), wish.valid_until_seconds);
        X509_set_pubkey(certificate, key);
        X509_NAME* name = X509_get_subject_name(certificate);
        const auto* text = reinterpret_cast<const unsigned char*>(wish.name.c_str());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0);
        X509_set_issuer_name(certificate, name);
        X509_EXTENSION* names = X509V3_EXT_conf_nid(
            nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1"
        );
        X509_add_ext(certificate, names, -1);
        X509_EXTENSION_free(names);
        X509_sign(certificate, key, EVP_sha256());
        return certificate;
    }

    template <class Fn>
    static void write(const std::filesystem::path& path, const Fn& fn) {
        const auto fresh = path.string() + ".new";
        std::FILE* file = std::fopen(fresh.c_str(), "wbe");
        if (file == nullptr || fn(file) != 1 || std::fclose(file) != 0)
            throw std::runtime_error("cannot write " + fresh);
        std::filesystem::permissions(
            fresh, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write
        );
        std::filesystem::rename(fresh, path);
    }

    TemporaryFolder folder_;
    net::TlsFiles files_{folder_.path() / "server.crt", folder_.path() / "server.key"};
};

}  // namespace synapsex::testing
