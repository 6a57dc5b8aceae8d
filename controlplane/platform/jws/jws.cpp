#include "controlplane/platform/jws/jws.hpp"

#include <stdexcept>

#include <boost/json.hpp>

#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::jws {

namespace json = boost::json;

namespace {

constexpr std::size_t kSignatureBytes = 64;

// False for a member of another type; one that is absent leaves `out` as it is.
bool read_text(const json::object& object, std::string_view name, std::string& out) {
    const auto* value = object.if_contains(name);
    if (!value) return true;
    const auto* text = value->if_string();
    if (text) out = std::string_view{*text};
    return text != nullptr;
}

bool read_header(std::string_view part, Jws& jws) {
    const auto bytes = crypto::from_base64url(part);
    if (!bytes) return false;
    json::parse_options options;
    options.max_depth = 4;
    boost::system::error_code error;
    const auto value = json::parse(*bytes, error, {}, options);
    if (error || !value.is_object()) return false;
    const auto& header = value.get_object();
    return !header.contains("crit") && read_text(header, "alg", jws.alg) && jws.alg == "EdDSA" &&
           read_text(header, "typ", jws.typ) && read_text(header, "kid", jws.kid);
}

// As RFC 8037 names it in `alg`.
std::string_view algorithm_of(const crypto::Signer& signer) {
    switch (signer.algorithm()) {
    case crypto::SignatureAlgorithm::ed25519:
        return "EdDSA";
    }
    throw std::logic_error("no JWS algorithm for this key");
}

}  // namespace

bool Jws::has_valid_signature(std::string_view public_key) const {
    return crypto::verify_ed25519(public_key, signed_text, signature);
}

std::optional<Jws> parse(std::string_view text) {
    const auto first = text.find('.');
    const auto second = first == text.npos ? text.npos : text.find('.', first + 1);
    if (second == text.npos) return std::nullopt;
    auto signature = crypto::from_base64url(text.substr(second + 1));
    if (!signature || signature->size() != kSignatureBytes) return std::nullopt;
    Jws jws;
    if (!read_header(text.substr(0, first), jws)) return std::nullopt;
    auto payload = crypto::from_base64url(text.substr(first + 1, second - first - 1));
    if (!payload) return std::nullopt;
    jws.payload = *std::move(payload);
    jws.signed_text = std::string{text.substr(0, second)};
    jws.signature = *std::move(signature);
    return jws;
}

std::string sign(
    const crypto::Signer& signer,
    std::string_view typ,
    std::string_view kid,
    std::string_view payload
) {
    json::object header;
    header.emplace("alg", algorithm_of(signer));
    header.emplace("typ", typ);
    if (!kid.empty()) header.emplace("kid", kid);
    auto text =
        crypto::to_base64url(json::serialize(header)) + "." + crypto::to_base64url(payload);
    const auto signature = signer.sign(text);
    return text + "." + crypto::to_base64url(signature);
}

}  // namespace synapsex::jws
