#include "shared/crypto/root_key.hpp"

#include <stdexcept>

#include "shared/crypto/hash.hpp"

namespace synapsex::crypto {

namespace {
constexpr std::string_view kIdLabel = "synapsex.root-key-id";
constexpr std::size_t kIdSize = 12;
}  // namespace

RootKey RootKey::generate(Random& random) {
    std::string bytes(kBytes, '\0');
    random.fill(std::as_writable_bytes(std::span{bytes.data(), bytes.size()}));
    return RootKey{std::move(bytes)};
}

RootKey::RootKey(std::string bytes) : bytes_(std::move(bytes)) {
    if (bytes_.size() != kBytes) throw std::runtime_error("not a root key");
    key_id_ = to_base64url(derive(kIdLabel).bytes()).substr(0, kIdSize);
}

}  // namespace synapsex::crypto
