#include "shared/crypto/ed25519.hpp"

#include <array>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "shared/crypto/hash.hpp"
#include "shared/crypto/key_file.hpp"

namespace synapsex::crypto {

namespace {

constexpr std::size_t kKeyIdSize = 16;

const unsigned char* as_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

struct BioFree {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioFree>;

struct ContextFree {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextFree>;

// OpenSSL would ask the terminal for it.
int no_pass_phrase(char*, int, int, void*) { return -1; }

}  // namespace

Ed25519Key Ed25519Key::generate(Random& random) {
    std::array<std::byte, 32> seed{};
    random.fill(seed);
    return from_seed({reinterpret_cast<const char*>(seed.data()), seed.size()});
}

Ed25519Key Ed25519Key::from_seed(std::string_view seed) {
    EVP_PKEY* key = nullptr;
    if (seed.size() == 32)
        key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, as_bytes(seed), seed.size());
    if (!key) throw std::runtime_error("not an Ed25519 private key");
    return Ed25519Key{std::shared_ptr<EVP_PKEY>{key, EVP_PKEY_free}};
}

Result<Ed25519Key> Ed25519Key::load_pem_file(const std::filesystem::path& path) {
    SYNAPSEX_TRY(auto pem, read_key_file(path));
    const Bio bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    std::shared_ptr<EVP_PKEY> key{
        PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr), EVP_PKEY_free
    };
    OPENSSL_cleanse(pem.data(), pem.size());
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519)
        return key_unreadable(path, "it holds no Ed25519 private key in PEM; restore it");
    return Ed25519Key{std::move(key)};
}

Result<Done> Ed25519Key::save_pem_file(const std::filesystem::path& path) const {
    const Bio bio{BIO_new(BIO_s_secmem())};
    char* pem = nullptr;
    if (!bio || PEM_write_bio_PKCS8PrivateKey(
                    bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr
                ) != 1)
        throw std::runtime_error("OpenSSL cannot write an Ed25519 key");
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &pem));
    return make_key_file(path, {pem, size});
}

std::string Ed25519Key::key_id() const { return ed25519_key_id(public_key()); }

std::string Ed25519Key::sign(std::string_view message) const {
    const Context context{EVP_MD_CTX_new()};
    std::string signature(64, '\0');
    std::size_t size = signature.size();
    auto* out = reinterpret_cast<unsigned char*>(signature.data());
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), out, &size, as_bytes(message), message.size()) != 1)
        throw std::runtime_error("Ed25519 signing failed");
    return signature;
}

std::string Ed25519Key::public_key() const {
    std::string bytes(32, '\0');
    std::size_t size = bytes.size();
    auto* out = reinterpret_cast<unsigned char*>(bytes.data());
    if (EVP_PKEY_get_raw_public_key(key_.get(), out, &size) != 1)
        throw std::runtime_error("Ed25519 key has no public part");
    return bytes;
}

std::string Ed25519Key::public_key_base64url() const { return to_base64url(public_key()); }

std::string ed25519_key_id(std::string_view public_key) {
    // The required members of an OKP key in the order of their names, no white space.
    const auto canonical = R"({"crv":"Ed25519","kty":"OKP","x":")" + to_base64url(public_key) +
                           R"("})";
    return to_base64url(sha256(canonical)).substr(0, kKeyIdSize);
}

bool verify_ed25519(
    std::string_view public_key, std::string_view message, std::string_view signature
) {
    if (public_key.size() != 32 || signature.size() != 64) return false;
    const std::shared_ptr<EVP_PKEY> key{
        EVP_PKEY_new_raw_public_key(
            EVP_PKEY_ED25519, nullptr, as_bytes(public_key), public_key.size()
        ),
        EVP_PKEY_free
    };
    const Context context{EVP_MD_CTX_new()};
    return key && context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(
               context.get(), as_bytes(signature), signature.size(), as_bytes(message),
               message.size()
           ) == 1;
}

}  // namespace synapsex::crypto
