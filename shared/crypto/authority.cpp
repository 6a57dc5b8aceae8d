#include "shared/crypto/authority.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <stdexcept>

#include "shared/crypto/hash.hpp"
#include "shared/crypto/key_file.hpp"
#include "shared/crypto/public_key_pin.hpp"

namespace synapsex::crypto {

namespace {

using std::chrono::days;
using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

void check(long ok, const char* what) {
    if (ok != 1) throw std::runtime_error(std::string{"OpenSSL: "} + what + " failed");
}

// OpenSSL would ask the terminal for it.
int no_pass_phrase(char*, int, int, void*) { return -1; }

Bio reader(std::string_view pem) {
    return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
}

std::string text_of(BIO* bio) {
    char* begin = nullptr;
    const auto size = BIO_get_mem_data(bio, &begin);
    return {begin, static_cast<std::size_t>(size)};
}

Key make_key() {
    Key key{EVP_EC_gen("P-256"), EVP_PKEY_free};
    if (!key) throw std::runtime_error("OpenSSL: EVP_EC_gen failed");
    return key;
}

void write_key(BIO* bio, EVP_PKEY* key) {
    check(
        PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr),
        "PEM_write_bio_PKCS8PrivateKey"
    );
}

void set_time(ASN1_TIME* time, Timestamp at) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
    if (!ASN1_TIME_set(time, seconds.count())) throw std::runtime_error("OpenSSL: ASN1_TIME_set");
}

Timestamp instant_of(const ASN1_TIME* time) {
    std::tm parts{};
    check(ASN1_TIME_to_tm(time, &parts), "ASN1_TIME_to_tm");
    return Timestamp{std::chrono::seconds{::timegm(&parts)}};
}

using Name = std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)>;

Name make_name(const std::string& common_name) {
    Name name{X509_NAME_new(), &X509_NAME_free};
    const auto* bytes = reinterpret_cast<const unsigned char*>(common_name.c_str());
    check(
        X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_UTF8, bytes, -1, -1, 0),
        "X509_NAME_add_entry_by_txt"
    );
    return name;
}

struct Wish {
    EVP_PKEY* key;
    X509* issuer;  // nullptr: itself
    EVP_PKEY* issuer_key;
    Timestamp now;
    days lifetime;
};

class Builder {
 public:
    explicit Builder(const Wish& wish) : wish_(wish), certificate_{X509_new(), X509_free} {
        auto* raw = certificate_.get();
        check(X509_set_version(raw, X509_VERSION_3), "X509_set_version");
        set_serial();
        set_time(X509_getm_notBefore(raw), wish.now - kCertificateHeadStart);
        set_time(X509_getm_notAfter(raw), end_of(wish));
        check(X509_set_pubkey(raw, wish.key), "X509_set_pubkey");
    }
    void set_subject(const X509_NAME* name) {
        check(X509_set_subject_name(certificate_.get(), name), "X509_set_subject_name");
    }

    void extend(int nid, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        auto* issuer = wish_.issuer ? wish_.issuer : certificate_.get();
        X509V3_set_ctx(&context, issuer, certificate_.get(), nullptr, nullptr, 0);
        const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension{
            X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), &X509_EXTENSION_free};
        if (!extension) throw std::runtime_error("OpenSSL: cannot make " + value);
        check(X509_add_ext(certificate_.get(), extension.get(), -1), "X509_add_ext");
    }

    Certificate sign() {
        auto* issuer = wish_.issuer ? wish_.issuer : certificate_.get();
        auto* name = X509_get_subject_name(issuer);
        check(X509_set_issuer_name(certificate_.get(), name), "X509_set_issuer_name");
        extend(NID_subject_key_identifier, "hash");
        extend(NID_authority_key_identifier, "keyid");
        if (X509_sign(certificate_.get(), wish_.issuer_key, EVP_sha256()) == 0)
            throw std::runtime_error("OpenSSL: X509_sign failed");
        return certificate_;
    }

 private:
    // Nothing outlives who vouches for it.
    static Timestamp end_of(const Wish& wish) {
        const Timestamp wanted = wish.now + wish.lifetime;
        if (!wish.issuer) return wanted;
        return std::min(wanted, instant_of(X509_get0_notAfter(wish.issuer)));
    }
    void set_serial() {
        std::array<unsigned char, 16> bytes{};
        check(RAND_bytes(bytes.data(), bytes.size()), "RAND_bytes");
        bytes[0] = (bytes[0] & 0x3F) | 0x40;  // positive, and of full length
        const std::unique_ptr<BIGNUM, decltype(&BN_free)> number{
            BN_bin2bn(bytes.data(), bytes.size(), nullptr), &BN_free};
        if (!BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate_.get())))
            throw std::runtime_error("OpenSSL: BN_to_ASN1_INTEGER failed");
    }

    const Wish wish_;
    Certificate certificate_;
};

Certificate make_authority_certificate(const Wish& wish, const X509_NAME* name) {
    Builder builder{wish};
    builder.set_subject(name);
    builder.extend(NID_basic_constraints, "critical,CA:TRUE,pathlen:1");
    builder.extend(NID_key_usage, "critical,keyCertSign,cRLSign");
    return builder.sign();
}

// "DNS:cp.example.com,IP:192.0.2.1", as OpenSSL reads it.
std::string alternative_names(const std::vector<std::string>& names) {
    std::string list;
    for (const auto& name : names) {
        std::array<unsigned char, sizeof(in6_addr)> bytes{};
        const bool is_address = ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
                                ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
        if (!list.empty()) list += ',';
        list += (is_address ? "IP:" : "DNS:") + name;
    }
    return list;
}

std::string bytes_of(const X509_EXTENSION* extension) {
    if (!extension) return {};
    const auto* data = X509_EXTENSION_get_data(const_cast<X509_EXTENSION*>(extension));
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(data));
    return {bytes, static_cast<std::size_t>(ASN1_STRING_length(data))};
}

bool is_for(const X509* certificate, const std::vector<std::string>& names) {
    const int index = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> wanted{
        X509V3_EXT_conf_nid(
            nullptr, nullptr, NID_subject_alt_name, alternative_names(names).c_str()
        ),
        &X509_EXTENSION_free};
    return index >= 0 && wanted &&
           bytes_of(X509_get_ext(certificate, index)) == bytes_of(wanted.get());
}

}  // namespace

Authority Authority::make(Timestamp now) {
    const auto key = make_key();
    const Wish wish{key.get(), nullptr, key.get(), now, kAuthorityLifetime};
    // Chains are found by names: each authority has one of its own.
    std::array<unsigned char, 4> bytes{};
    check(RAND_bytes(bytes.data(), bytes.size()), "RAND_bytes");
    const auto name = make_name(
        std::string{kAuthorityName} +
        to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()})
    );
    return Authority{key, {make_authority_certificate(wish, name.get())}};
}

Authority Authority::make_successor(Timestamp now) const {
    auto next = make(now);
    auto* own = next.chain_.front().get();
    const Wish wish{next.key_.get(), chain_.front().get(), key_.get(), now, kAuthorityLifetime};
    next.chain_.push_back(make_authority_certificate(wish, X509_get_subject_name(own)));
    next.chain_.push_back(chain_.front());
    return next;
}

Authority Authority::without_former() const { return Authority{key_, {chain_.front()}}; }

std::string Authority::to_pem() const {
    const Bio bio{BIO_new(BIO_s_secmem()), &BIO_free};
    write_key(bio.get(), key_.get());
    for (const auto& certificate : chain_)
        check(PEM_write_bio_X509(bio.get(), certificate.get()), "PEM_write_bio_X509");
    return text_of(bio.get());
}

Result<Authority> Authority::load(const std::filesystem::path& path) {
    SYNAPSEX_TRY(auto pem, read_key_file(path));
    Key key{
        PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, no_pass_phrase, nullptr),
        EVP_PKEY_free};
    std::vector<Certificate> chain;
    const auto certificates = reader(pem);
    while (auto* next = PEM_read_bio_X509(certificates.get(), nullptr, no_pass_phrase, nullptr))
        chain.emplace_back(next, X509_free);
    ERR_clear_error();
    OPENSSL_cleanse(pem.data(), pem.size());
    const bool is_whole = key && (chain.size() == 1 || chain.size() == 3);
    if (!is_whole || X509_check_private_key(chain.front().get(), key.get()) != 1)
        return key_unreadable(path, "it holds no authority's key with its certificate; restore it");
    return Authority{std::move(key), std::move(chain)};
}

Result<Done> Authority::save(const std::filesystem::path& path) const {
    return make_key_file(path, to_pem());
}

Result<Done> Authority::replace(const std::filesystem::path& path) const {
    return replace_key_file(path, to_pem());
}

std::string Authority::pin() const { return public_key_pin(chain_.front().get()); }

Timestamp Authority::not_after() const {
    return instant_of(X509_get0_notAfter(chain_.front().get()));
}

std::optional<std::string> Authority::former_pin() const {
    if (chain_.size() == 1) return std::nullopt;
    return public_key_pin(chain_.back().get());
}

std::string Authority::certificate() const {
    const Bio bio{BIO_new(BIO_s_mem()), &BIO_free};
    check(PEM_write_bio_X509(bio.get(), chain_.front().get()), "PEM_write_bio_X509");
    return text_of(bio.get());
}

TimeProof Authority::prove_time(std::string_view nonce, Timestamp now) const {
    return crypto::prove_time(key_.get(), nonce, now);
}

std::vector<Certificate> Authority::shown_chain() const {
    std::vector<Certificate> shown{chain_.begin() + 1, chain_.end()};
    shown.push_back(chain_.front());
    return shown;
}

std::string Authority::issue(const std::vector<std::string>& names, Timestamp now) const {
    const auto key = make_key();
    const Wish wish{
        key.get(), chain_.front().get(), key_.get(), now, kServerCertificateLifetime};
    Builder builder{wish};
    builder.set_subject(make_name("SynapseX control plane").get());
    builder.extend(NID_basic_constraints, "critical,CA:FALSE");
    builder.extend(NID_key_usage, "critical,digitalSignature");
    builder.extend(NID_ext_key_usage, "serverAuth");
    builder.extend(NID_subject_alt_name, alternative_names(names));
    const auto certificate = builder.sign();
    const Bio bio{BIO_new(BIO_s_secmem()), &BIO_free};
    check(PEM_write_bio_X509(bio.get(), certificate.get()), "PEM_write_bio_X509");
    for (const auto& above : shown_chain())
        check(PEM_write_bio_X509(bio.get(), above.get()), "PEM_write_bio_X509");
    write_key(bio.get(), key.get());
    return text_of(bio.get());
}

bool Authority::is_current(
    std::string_view pem, const std::vector<std::string>& names, Timestamp now
) const {
    const auto certificates = reader(pem);
    std::vector<Certificate> shown;
    while (auto* next = PEM_read_bio_X509(certificates.get(), nullptr, no_pass_phrase, nullptr))
        shown.emplace_back(next, X509_free);
    const auto key = reader(pem);
    const Key own{
        PEM_read_bio_PrivateKey(key.get(), nullptr, no_pass_phrase, nullptr), EVP_PKEY_free};
    ERR_clear_error();
    // With the chain of today: also while, and after, one authority follows another.
    const auto above = shown_chain();
    if (shown.size() != above.size() + 1 || !own) return false;
    for (std::size_t i = 0; i < above.size(); ++i)
        if (X509_cmp(shown[i + 1].get(), above[i].get()) != 0) return false;
    auto* certificate = shown.front().get();
    const auto end = instant_of(X509_get0_notAfter(certificate));
    // Or as long as one of this authority can last.
    const bool lasts = end - now > kServerCertificateLifetime / 3 || end >= not_after();
    return X509_check_private_key(certificate, own.get()) == 1 &&
           X509_verify(certificate, key_.get()) == 1 && is_for(certificate, names) &&
           instant_of(X509_get0_notBefore(certificate)) <= now && lasts;
}

}  // namespace synapsex::crypto
