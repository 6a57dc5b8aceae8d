#include "shared/crypto/seal.hpp"

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "shared/crypto/hash.hpp"

namespace synapsex::crypto {

namespace {
constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;
const unsigned char* bytes_of(std::string_view t) {
    return reinterpret_cast<const unsigned char*>(t.data());
}
unsigned char* bytes_of(std::string& t) {
    return reinterpret_cast<unsigned char*>(t.data());
}
void check(int ok) {
    if (ok <= 0) throw std::runtime_error("OpenSSL failed to seal");
}
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
}  // namespace

SealingKey SealingKey::derive(std::string_view secret, std::string_view label) {
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context{
        EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), &EVP_PKEY_CTX_free};
    std::string out(32, '\0');
    std::size_t size = out.size();
    check(EVP_PKEY_derive_init(context.get()));
    check(EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()));
    check(
        EVP_PKEY_CTX_set1_hkdf_key(context.get(), bytes_of(secret), static_cast<int>(secret.size()))
    );
    check(
        EVP_PKEY_CTX_add1_hkdf_info(context.get(), bytes_of(label), static_cast<int>(label.size()))
    );
    check(EVP_PKEY_derive(context.get(), bytes_of(out), &size));
    return SealingKey{std::move(out)};
}

std::string seal(
    const SealingKey& key, std::string_view plaintext, std::string_view bound_to, Random& random
) {
    std::string out(kNonce + plaintext.size() + kTag, '\0');
    random.fill(std::as_writable_bytes(std::span{out.data(), kNonce}));
    const Cipher c{EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
    check(EVP_EncryptInit_ex(
        c.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key.bytes()), bytes_of(out)
    ));
    int n = 0;
    check(EVP_EncryptUpdate(
        c.get(), nullptr, &n, bytes_of(bound_to), static_cast<int>(bound_to.size())
    ));
    check(EVP_EncryptUpdate(
        c.get(), bytes_of(out) + kNonce, &n, bytes_of(plaintext), static_cast<int>(plaintext.size())
    ));
    check(EVP_EncryptFinal_ex(c.get(), bytes_of(out) + kNonce + n, &n));
    check(EVP_CIPHER_CTX_ctrl(
        c.get(), EVP_CTRL_GCM_GET_TAG, kTag, bytes_of(out) + kNonce + plaintext.size()
    ));
    return to_base64url(out);
}

std::optional<std::string> open(
    const SealingKey& key, std::string_view sealed, std::string_view bound_to
) {
    auto in = from_base64url(sealed);
    if (!in || in->size() < kNonce + kTag) return std::nullopt;
    std::string out(in->size() - kNonce - kTag, '\0');
    const Cipher c{EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
    check(EVP_DecryptInit_ex(
        c.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key.bytes()), bytes_of(*in)
    ));
    int n = 0;
    check(EVP_DecryptUpdate(
        c.get(), nullptr, &n, bytes_of(bound_to), static_cast<int>(bound_to.size())
    ));
    if (EVP_DecryptUpdate(
            c.get(), bytes_of(out), &n, bytes_of(*in) + kNonce, static_cast<int>(out.size())
        ) <= 0)
        return std::nullopt;
    check(
        EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, kTag, bytes_of(*in) + in->size() - kTag)
    );
    if (EVP_DecryptFinal_ex(c.get(), bytes_of(out) + n, &n) <= 0) return std::nullopt;
    return out;
}

}  // namespace synapsex::crypto
