#include "shared/crypto/ed25519.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/crypto/hash.hpp"

namespace synapsex::crypto {

namespace {

const unsigned char* as_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

struct ContextFree {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextFree>;

Problem unreadable(const std::filesystem::path& path, const std::string& why) {
    return {Kind::internal, "crypto.key_unreadable", path.string() + ": " + why};
}

// The file is as it should be for all that is known: the machine cannot read it now.
Problem unavailable(const std::filesystem::path& path, int error) {
    return {
        Kind::internal, "crypto.key_unavailable", path.string() + ": " + std::strerror(error)
    };
}

Problem unwritable(const std::filesystem::path& path) {
    return {
        Kind::internal, "crypto.key_unwritable",
        path.string() + ": " + std::string{std::strerror(errno)}
    };
}

// The rename is durable only once the directory is.
void sync_directory(const std::filesystem::path& directory) {
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

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
    const File file{std::fopen(path.c_str(), "re")};
    if (!file && (errno == ENOENT || errno == EACCES))
        return unreadable(path, std::strerror(errno));
    struct stat status{};
    if (!file || ::fstat(::fileno(file.get()), &status) != 0) return unavailable(path, errno);
    if ((status.st_mode & 077) != 0)
        return unreadable(path, "others than the owner may read it; chmod 600 it");
    std::shared_ptr<EVP_PKEY> key{
        PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr), EVP_PKEY_free
    };
    if (!key && std::ferror(file.get()) != 0) return unavailable(path, EIO);
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519)
        return unreadable(path, "no Ed25519 private key in PEM");
    return Ed25519Key{std::move(key)};
}

Result<Done> Ed25519Key::save_pem_file(const std::filesystem::path& path) const {
    const auto aside = path.string() + ".new";
    const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return unwritable(aside);
    File file{::fdopen(fd, "w")};
    const bool is_written =
        PEM_write_PKCS8PrivateKey(
            file.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr
        ) == 1 &&
        std::fflush(file.get()) == 0 && ::fsync(fd) == 0;
    if (!is_written) return unwritable(aside);
    file.reset();
    if (::rename(aside.c_str(), path.c_str()) != 0) return unwritable(path);
    sync_directory(path.parent_path());
    return Done{};
}

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
