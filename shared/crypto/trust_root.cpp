#include "shared/crypto/trust_root.hpp"

#include <algorithm>
#include <optional>

#include "shared/base/utf8.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::crypto {

namespace {

constexpr std::string_view kOpening = "{\"signed\":";
constexpr std::string_view kType = "{\"type\":\"synapsex.trust-root\",\"format\":";
constexpr std::size_t kFormat = 1;
constexpr std::size_t kVersion = 1;
constexpr std::size_t kPublicKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;

Problem refused(std::string_view code, std::string detail) {
    return {Kind::internal, std::string{code}, std::move(detail)};
}
Problem invalid(std::string detail) { return refused(kTrustRootInvalid, std::move(detail)); }

// What stands between two quotes, so that no text needs an escape.
bool is_plain(std::string_view text) {
    return text.find_first_of("\"\\") == text.npos;
}

std::string in_quotes(std::string_view text) { return '"' + std::string{text} + '"'; }

std::string signed_text(const TrustRoot& root) {
    std::string text{kType};
    text += std::to_string(kFormat) + ",\"version\":" + std::to_string(kVersion);
    text += ",\"createdAt\":" + in_quotes(format_rfc3339(root.created_at));
    text += ",\"threshold\":" + std::to_string(root.threshold) + ",\"keys\":[";
    for (const auto& key : root.keys) {
        if (!text.ends_with('[')) text += ',';
        text += "{\"id\":" + in_quotes(ed25519_key_id(key.public_key));
        text += ",\"name\":" + in_quotes(key.name);
        text += ",\"publicKey\":" + in_quotes(to_base64url(key.public_key)) + '}';
    }
    return text + "]}";
}

// Takes a document apart from its front. What it does not expect ends it, at that byte.
class Reader {
 public:
    explicit Reader(std::string_view text) : whole_(text), rest_(text) {}

    std::size_t position() const { return whole_.size() - rest_.size(); }
    bool is_at_end() const { return rest_.empty(); }

    bool take_if(std::string_view literal) {
        if (!rest_.starts_with(literal)) return false;
        rest_.remove_prefix(literal.size());
        return true;
    }
    Result<Done> take(std::string_view literal) {
        if (!take_if(literal)) return unexpected();
        return Done{};
    }
    // A whole number of at most six digits; the one spelling that it has.
    Result<std::size_t> take_number() {
        constexpr std::size_t kDigitsMax = 6;
        const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
        const auto size = static_cast<std::size_t>(
            std::ranges::find_if_not(rest_, is_digit) - rest_.begin()
        );
        const bool has_spare_zero = size > 1 && rest_.front() == '0';
        if (size == 0 || size > kDigitsMax || has_spare_zero) return unexpected();
        const std::size_t number = std::stoul(std::string{rest_.substr(0, size)});
        rest_.remove_prefix(size);
        return number;
    }
    Result<std::string> take_text() {
        if (!rest_.starts_with('"')) return unexpected();
        const auto end = rest_.find('"', 1);
        if (end == rest_.npos) return unexpected();
        const std::string text{rest_.substr(1, end - 1)};
        if (!is_plain(text)) return unexpected();
        rest_.remove_prefix(end + 1);
        return text;
    }
    Result<std::string> take_bytes(std::size_t count) {
        const auto before = *this;
        SYNAPSEX_TRY(const auto text, take_text());
        auto bytes = from_base64url(text);
        if (bytes && bytes->size() == count) return *std::move(bytes);
        return before.unexpected();
    }

    Problem unexpected() const {
        return invalid(
            "it is not what synapsexctl wrote, from byte " + std::to_string(position()) + " on"
        );
    }

 private:
    std::string_view whole_;
    std::string_view rest_;
};

Result<TrustRootKey> take_key(Reader& reader) {
    SYNAPSEX_CHECK(reader.take("{\"id\":"));
    SYNAPSEX_TRY(const auto id, reader.take_text());
    SYNAPSEX_CHECK(reader.take(",\"name\":"));
    TrustRootKey key;
    SYNAPSEX_TRY(key.name, reader.take_text());
    if (!is_operator_name(key.name)) return invalid("an operator in it has no proper name");
    SYNAPSEX_CHECK(reader.take(",\"publicKey\":"));
    SYNAPSEX_TRY(key.public_key, reader.take_bytes(kPublicKeyBytes));
    if (id != ed25519_key_id(key.public_key))
        return invalid("it has a key under the id of another");
    SYNAPSEX_CHECK(reader.take("}"));
    return key;
}

Result<std::vector<TrustRootKey>> take_keys(Reader& reader) {
    SYNAPSEX_CHECK(reader.take("["));
    std::vector<TrustRootKey> keys;
    do {
        if (keys.size() == kTrustRootKeysMax)
            return invalid("it has more than " + std::to_string(kTrustRootKeysMax) + " keys");
        SYNAPSEX_TRY(auto key, take_key(reader));
        const auto has_key = [&](const auto& other) { return other.public_key == key.public_key; };
        if (std::ranges::any_of(keys, has_key)) return invalid("it has a key twice");
        keys.push_back(std::move(key));
    } while (reader.take_if(","));
    SYNAPSEX_CHECK(reader.take("]"));
    return keys;
}

// Numbers of another release stand where it looks for its own, before anything that it may have
// changed.
Result<Done> take_release_number(Reader& reader, std::string_view what, std::size_t known) {
    SYNAPSEX_TRY(const auto number, reader.take_number());
    if (number == known) return Done{};
    return refused(
        kTrustRootUnknown, "it is of " + std::string{what} + ' ' + std::to_string(number) +
                               ", and this program knows " + std::string{what} + ' ' +
                               std::to_string(known) + " alone; take a later release"
    );
}

Result<TrustRoot> take_signed(Reader& reader) {
    SYNAPSEX_CHECK(reader.take(kType));
    SYNAPSEX_CHECK(take_release_number(reader, "format", kFormat));
    SYNAPSEX_CHECK(reader.take(",\"version\":"));
    SYNAPSEX_CHECK(take_release_number(reader, "version", kVersion));
    SYNAPSEX_CHECK(reader.take(",\"createdAt\":"));
    SYNAPSEX_TRY(const auto created_at, reader.take_text());
    const auto instant = parse_rfc3339(created_at);
    if (!instant || format_rfc3339(*instant) != created_at || created_at.size() != 20)
        return invalid("it says no instant when it was made");
    SYNAPSEX_CHECK(reader.take(",\"threshold\":"));
    TrustRoot root;
    root.created_at = *instant;
    SYNAPSEX_TRY(root.threshold, reader.take_number());
    SYNAPSEX_CHECK(reader.take(",\"keys\":"));
    SYNAPSEX_TRY(root.keys, take_keys(reader));
    SYNAPSEX_CHECK(reader.take("}"));
    if (root.threshold >= 1 && root.threshold <= root.keys.size()) return root;
    return invalid(
        "it asks for " + std::to_string(root.threshold) + " signatures and has keys for 1 to " +
        std::to_string(root.keys.size())
    );
}

// How many of the root's keys have signed. A signature that is wrong, or nobody's, is somebody's
// work: it is not passed over.
Result<std::size_t> take_signatures(
    Reader& reader, const TrustRoot& root, std::string_view text
) {
    std::vector<std::string> signers;
    do {
        SYNAPSEX_CHECK(reader.take("{\"keyId\":"));
        SYNAPSEX_TRY(const auto id, reader.take_text());
        SYNAPSEX_CHECK(reader.take(",\"signature\":"));
        SYNAPSEX_TRY(const auto signature, reader.take_bytes(kSignatureBytes));
        SYNAPSEX_CHECK(reader.take("}"));
        const auto key = std::ranges::find_if(root.keys, [&](const TrustRootKey& each) {
            return ed25519_key_id(each.public_key) == id;
        });
        if (key == root.keys.end())
            return refused(kTrustRootUnsigned, "it is signed with a key that is none of its own");
        if (std::ranges::find(signers, id) != signers.end())
            return refused(kTrustRootUnsigned, "it is signed with a key twice");
        if (!verify_ed25519(key->public_key, text, signature))
            return refused(kTrustRootUnsigned, "its signature by " + key->name + " is wrong");
        signers.push_back(id);
    } while (reader.take_if(","));
    return signers.size();
}

}  // namespace

std::string TrustRoot::fingerprint() const { return to_base64url(sha256(signed_text(*this))); }

bool is_trust_root_fingerprint(std::string_view text) {
    const auto bytes = from_base64url(text);
    return text.size() == kTrustRootFingerprintSize && bytes && bytes->size() == 32;
}

bool is_operator_name(std::string_view text) {
    return is_name(text) && is_plain(text) && *count_code_points(text) <= kOperatorNameMax;
}

std::string write_trust_root(const TrustRoot& root, std::span<const Signer* const> signers) {
    const auto text = signed_text(root);
    std::string document = std::string{kOpening} + text + ",\"signatures\":[";
    for (const auto* signer : signers) {
        if (!document.ends_with('[')) document += ',';
        document += "{\"keyId\":" + in_quotes(signer->key_id());
        document += ",\"signature\":" + in_quotes(to_base64url(signer->sign(text))) + '}';
    }
    return document + "]}\n";
}

Result<TrustRoot> read_trust_root(std::string_view document) {
    if (document.size() > kTrustRootBytesMax)
        return invalid("it is larger than " + std::to_string(kTrustRootBytesMax) + " bytes");
    Reader reader{document};
    SYNAPSEX_CHECK(reader.take(kOpening));
    SYNAPSEX_TRY(auto root, take_signed(reader));
    const auto end = reader.position();
    const auto text = document.substr(kOpening.size(), end - kOpening.size());
    SYNAPSEX_CHECK(reader.take(",\"signatures\":["));
    if (reader.take_if("]"))
        return refused(kTrustRootUnsigned, "nobody has signed it");
    SYNAPSEX_TRY(const auto signatures, take_signatures(reader, root, text));
    SYNAPSEX_CHECK(reader.take("]}\n"));
    if (!reader.is_at_end()) return reader.unexpected();
    if (signatures >= root.threshold) return root;
    return refused(
        kTrustRootUnsigned, "it needs the signatures of " + std::to_string(root.threshold) +
                                " operators and has " + std::to_string(signatures)
    );
}

}  // namespace synapsex::crypto
