#include "shared/crypto/sealed_stream.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include <argon2.h>
#include <openssl/evp.h>

#include "shared/crypto/key_file.hpp"

namespace synapsex::crypto {

namespace {

constexpr std::string_view kMagic = "synapsex-sealed-1\n";
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kSealedBytes = kChunkBytes + kTagBytes;

// RFC 9106's second choice: about 0.2 s, once for each file.
constexpr unsigned kPasses = 3;
constexpr unsigned kMemoryKib = 64 * 1024;
constexpr unsigned kLanes = 4;

constexpr const char* kNotOurs = "it is no sealed file of this program";
constexpr const char* kNotOpened =
    "it does not open: the passphrase is another, or the file is damaged";
constexpr const char* kCutOff = "it is cut off: its end is missing";

std::string derive_key(std::string_view passphrase, std::string_view salt) {
    std::string key(kKeyBytes, '\0');
    const int error = argon2id_hash_raw(
        kPasses, kMemoryKib, kLanes, passphrase.data(), passphrase.size(), salt.data(), salt.size(),
        key.data(), key.size()
    );
    if (error != ARGON2_OK) throw std::runtime_error(argon2_error_message(error));
    return key;
}

void check(int ok) {
    if (ok <= 0) throw std::runtime_error("OpenSSL failed to seal");
}

unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Result<std::string> read_passphrase(const std::filesystem::path& path) {
    SYNAPSEX_TRY(auto text, read_key_file(path));
    text.erase(text.find_last_not_of("\r\n") + 1);
    if (text.size() >= kPassphraseBytesMin) return text;
    return Problem{
        Kind::invalid, "crypto.passphrase_short",
        path.string() + ": a passphrase has at least " + std::to_string(kPassphraseBytesMin) +
            " characters; make one with `openssl rand -base64 32`"
    };
}

class ChunkCipher {
 public:
    explicit ChunkCipher(std::string key) : key_(std::move(key)) {}

    std::string seal(std::string_view plain, bool is_last) {
        std::string out(plain.size() + kTagBytes, '\0');
        const auto nonce = nonce_of(number_++, is_last);
        int size = 0;
        check(EVP_EncryptInit_ex(
            context_.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_), nonce.data()
        ));
        check(EVP_EncryptUpdate(
            context_.get(), bytes_of(out), &size, bytes_of(plain), static_cast<int>(plain.size())
        ));
        check(EVP_EncryptFinal_ex(context_.get(), bytes_of(out) + size, &size));
        check(EVP_CIPHER_CTX_ctrl(
            context_.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, bytes_of(out) + plain.size()
        ));
        return out;
    }

    // The next chunk, if that is what this is.
    std::optional<std::string> open(std::string_view sealed, bool is_last) {
        if (sealed.size() < kTagBytes) return std::nullopt;
        const auto body = sealed.substr(0, sealed.size() - kTagBytes);
        std::string tag{sealed.substr(body.size())};
        std::string out(body.size(), '\0');
        const auto nonce = nonce_of(number_, is_last);
        int size = 0;
        check(EVP_DecryptInit_ex(
            context_.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_), nonce.data()
        ));
        check(EVP_DecryptUpdate(
            context_.get(), bytes_of(out), &size, bytes_of(body), static_cast<int>(body.size())
        ));
        check(EVP_CIPHER_CTX_ctrl(
            context_.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()
        ));
        if (EVP_DecryptFinal_ex(context_.get(), bytes_of(out) + size, &size) <= 0)
            return std::nullopt;
        ++number_;
        return out;
    }

 private:
    static std::array<unsigned char, kNonceBytes> nonce_of(std::uint64_t number, bool is_last) {
        std::array<unsigned char, kNonceBytes> nonce{};
        for (std::size_t i = 0; i < sizeof number; ++i)
            nonce[kNonceBytes - 2 - i] = static_cast<unsigned char>(number >> (8 * i));
        nonce.back() = is_last ? 1 : 0;
        return nonce;
    }

    const std::string key_;
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context_{
        EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
    std::uint64_t number_ = 0;
};

StreamSealer::StreamSealer(std::string_view passphrase, Random& random, Sink sink)
    : sink_(std::move(sink)) {
    std::string salt(kSaltBytes, '\0');
    random.fill(std::as_writable_bytes(std::span{salt}));
    cipher_ = std::make_unique<ChunkCipher>(derive_key(passphrase, salt));
    sink_(std::string{kMagic} + salt);
    chunk_.reserve(kChunkBytes);
}

StreamSealer::~StreamSealer() = default;

void StreamSealer::write(std::string_view bytes) {
    while (!bytes.empty()) {
        if (chunk_.size() == kChunkBytes) put_chunk(false);
        const auto part = bytes.substr(0, kChunkBytes - chunk_.size());
        chunk_ += part;
        bytes.remove_prefix(part.size());
    }
}

void StreamSealer::finish() { put_chunk(true); }

void StreamSealer::put_chunk(bool is_last) {
    sink_(cipher_->seal(chunk_, is_last));
    chunk_.clear();
}

StreamOpener::StreamOpener(std::string_view passphrase, Source source)
    : source_(std::move(source)) {
    std::string start(kMagic.size() + kSaltBytes, '\0');
    const auto size = source_(start);
    if (size < start.size() || !start.starts_with(kMagic)) throw StreamRefused(kNotOurs);
    cipher_ = std::make_unique<ChunkCipher>(
        derive_key(passphrase, std::string_view{start}.substr(kMagic.size()))
    );
    // Now, so that another passphrase is told before anything is asked for.
    fill();
}

StreamOpener::~StreamOpener() = default;

// The next chunk into chunk_; false after the last. One byte of what follows is read ahead, to know
// which one is the last.
bool StreamOpener::fill() {
    if (has_last_) return false;
    const auto had = ahead_.size();
    ahead_.resize(kSealedBytes + 1);
    const auto size = had + source_(std::span{ahead_}.subspan(had));
    ahead_.resize(size);
    const bool is_last = size <= kSealedBytes;
    const auto sealed = std::string_view{ahead_}.substr(0, kSealedBytes);
    auto plain = cipher_->open(sealed, is_last);
    if (!plain && is_last && cipher_->open(sealed, false)) throw StreamRefused(kCutOff);
    if (!plain) throw StreamRefused(ahead_.empty() ? kCutOff : kNotOpened);
    chunk_ = *std::move(plain);
    taken_ = 0;
    has_last_ = is_last;
    ahead_.erase(0, sealed.size());
    return true;
}

std::size_t StreamOpener::read(std::span<char> bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        if (taken_ == chunk_.size() && !fill()) break;
        const auto part = std::min(bytes.size() - done, chunk_.size() - taken_);
        std::memcpy(bytes.data() + done, chunk_.data() + taken_, part);
        done += part;
        taken_ += part;
    }
    return done;
}

bool StreamOpener::is_over() {
    while (taken_ == chunk_.size() && fill()) {
    }
    return taken_ == chunk_.size();
}

}  // namespace synapsex::crypto
