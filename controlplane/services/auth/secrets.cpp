#include "controlplane/services/auth/secrets.hpp"

#include <algorithm>
#include <boost/crc.hpp>

namespace synapsex::auth {

namespace {

constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kKeyRandomSize = 30;
constexpr std::size_t kChecksumSize = 6;
constexpr std::size_t kRefreshRandomSize = 43;
constexpr std::size_t kFamilySize = 21;
constexpr std::size_t kDisplaySize = 6;

bool is_base62(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return kBase62.find(c) != kBase62.npos; });
}

std::string checksum(std::string_view text) {
    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    auto rest = crc.checksum();
    std::string digits(kChecksumSize, '0');
    for (auto at = digits.rbegin(); at != digits.rend(); ++at, rest /= 62) *at = kBase62[rest % 62];
    return digits;
}

}  // namespace

std::string make_api_key(Random& random) {
    const auto secret = random.base62(kKeyRandomSize);
    return std::string{kApiKeyPrefix} + secret + checksum(secret);
}

bool is_api_key(std::string_view text) {
    if (!text.starts_with(kApiKeyPrefix)) return false;
    text.remove_prefix(kApiKeyPrefix.size());
    if (text.size() != kKeyRandomSize + kChecksumSize || !is_base62(text)) return false;
    return text.substr(kKeyRandomSize) == checksum(text.substr(0, kKeyRandomSize));
}

std::string api_key_display_prefix(std::string_view key) {
    return std::string{key.substr(0, kApiKeyPrefix.size() + kDisplaySize)};
}

std::string make_refresh_token(Random& random) {
    return std::string{kRefreshTokenPrefix} + random.base62(kRefreshRandomSize);
}

std::string make_successor(std::string_view refresh_token, Random& random) {
    return std::string{family_of(refresh_token)} +
           random.base62(kRefreshRandomSize - kFamilySize);
}

std::string_view family_of(std::string_view refresh_token) {
    return refresh_token.substr(0, kRefreshTokenPrefix.size() + kFamilySize);
}

bool is_refresh_token(std::string_view text) {
    return text.starts_with(kRefreshTokenPrefix) &&
           text.size() == kRefreshTokenPrefix.size() + kRefreshRandomSize &&
           is_base62(text.substr(kRefreshTokenPrefix.size()));
}

}  // namespace synapsex::auth
