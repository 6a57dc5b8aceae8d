#include "shared/crypto/enrollment_token.hpp"

#include <algorithm>
#include <array>

#include "shared/crypto/public_key_pin.hpp"

namespace synapsex::crypto {

namespace {

constexpr std::string_view kPrefix = "sxe_";
constexpr std::size_t kUlidSize = 26;

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::string EnrollmentTokenText::claim() const {
    return std::string{kPrefix} + ulid + '.' + secret;
}

std::string EnrollmentTokenText::text() const {
    auto text = claim();
    if (!authority_pin.empty() || !trust_root.empty()) text += '.' + authority_pin;
    if (!trust_root.empty()) text += '.' + trust_root;
    return text;
}

std::optional<EnrollmentTokenText> parse_enrollment_token(std::string_view text) {
    if (!text.starts_with(kPrefix)) return std::nullopt;
    text.remove_prefix(kPrefix.size());
    std::array<std::string, 4> parts;
    std::size_t count = 0;
    for (bool has_more = true; has_more; ++count) {
        if (count == parts.size()) return std::nullopt;
        const auto dot = text.find('.');
        has_more = dot != text.npos;
        parts[count] = text.substr(0, dot);
        if (has_more) text.remove_prefix(dot + 1);
    }
    const auto& [ulid, secret, authority_pin, trust_root] = parts;
    const bool has_claim = ulid.size() == kUlidSize && secret.size() == kEnrollmentSecretSize &&
                           std::ranges::all_of(ulid + secret, is_alphanumeric);
    const auto is_right = [](const std::string& pin) {
        return pin.empty() || is_public_key_pin(pin);
    };
    // A dot at the end: what stood behind it was lost on the way.
    const bool is_whole = count == 2 || !parts[count - 1].empty();
    if (!has_claim || !is_right(authority_pin) || !is_right(trust_root) || !is_whole)
        return std::nullopt;
    return EnrollmentTokenText{ulid, secret, authority_pin, trust_root};
}

}  // namespace synapsex::crypto
