// The operators' trust root, which may come from anybody: what is taken has one spelling, as many
// keys and signatures as it says, and the fingerprint of the text that stands there.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/crypto/hash.hpp"
#include "shared/crypto/trust_root.hpp"

using namespace synapsex;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view document{reinterpret_cast<const char*>(data), size};
    const auto root = crypto::read_trust_root(document);
    if (!root) {
        if (root.error().detail.empty()) std::abort();
        return 0;
    }
    const auto start = std::string_view{R"({"signed":)"}.size();
    const auto text = document.substr(start, document.find(R"(,"signatures":)") - start);
    if (root->fingerprint() != crypto::to_base64url(crypto::sha256(text))) std::abort();
    if (root->threshold < 1 || root->threshold > root->keys.size()) std::abort();
    if (root->keys.size() > crypto::kTrustRootKeysMax) std::abort();
    return 0;
}
