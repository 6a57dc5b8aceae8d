#include "shared/crypto/time_proof.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "shared/crypto/hash.hpp"

namespace synapsex::crypto {

namespace {

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* as_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string statement_of(std::string_view nonce, Timestamp time) {
    std::string text{"synapsex-time-v1\n"};
    return text.append(nonce).append("\n").append(std::to_string(to_micros(time))).append("\n");
}

std::string public_key_of(EVP_PKEY* key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    if (size <= 0) throw std::runtime_error("OpenSSL: i2d_PUBKEY failed");
    std::string bytes{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_free(der);
    return bytes;
}

}  // namespace

bool is_time_nonce(std::string_view text) {
    const auto bytes = from_base64url(text);
    return text.size() == kTimeNonceSize && bytes && bytes->size() == kTimeNonceBytes;
}

TimeProof prove_time(EVP_PKEY* key, std::string_view nonce, Timestamp now) {
    const auto statement = statement_of(nonce, now);
    const Context context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
    std::size_t size = signature.size();
    auto* out = reinterpret_cast<unsigned char*>(signature.data());
    if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
        EVP_DigestSign(context.get(), out, &size, as_bytes(statement), statement.size()) != 1)
        throw std::runtime_error("OpenSSL: the authority's key does not sign");
    signature.resize(size);
    return {now, public_key_of(key), std::move(signature)};
}

bool is_proven(const TimeProof& proof, std::string_view nonce, std::span<const std::string> pins) {
    if (std::ranges::find(pins, to_base64url(sha256(proof.public_key))) == pins.end()) return false;
    const auto* der = as_bytes(proof.public_key);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
        d2i_PUBKEY(nullptr, &der, static_cast<long>(proof.public_key.size())), &EVP_PKEY_free};
    const auto statement = statement_of(nonce, proof.time);
    const Context context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    const bool is_signed =
        key && context &&
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
        EVP_DigestVerify(
            context.get(), as_bytes(proof.signature), proof.signature.size(), as_bytes(statement),
            statement.size()
        ) == 1;
    ERR_clear_error();
    return is_signed;
}

}  // namespace synapsex::crypto
