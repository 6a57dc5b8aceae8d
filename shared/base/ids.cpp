#include "shared/base/ids.hpp"

#include <algorithm>
#include <array>

namespace synapsex {

namespace {
constexpr std::string_view kCrockford = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kUlidSize = 26;
}  // namespace

std::string make_ulid(Timestamp now, Random& random) {
    std::array<std::byte, 10> entropy{};
    random.fill(entropy);
    const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch());
    auto millis = static_cast<std::uint64_t>(std::max<std::int64_t>(since_epoch.count(), 0));

    std::string text(kUlidSize, '0');
    for (std::size_t i = 10; i-- > 0; millis >>= 5) text[i] = kCrockford[millis & 31];
    // 80 bits in 16 groups of 5, most significant first.
    std::uint32_t buffer = 0;
    int bits = 0;
    std::size_t at = 10;
    for (const auto byte : entropy) {
        buffer = (buffer << 8) | static_cast<std::uint32_t>(byte);
        for (bits += 8; bits >= 5; bits -= 5) text[at++] = kCrockford[(buffer >> (bits - 5)) & 31];
    }
    return text;
}

bool is_ulid(std::string_view text) {
    // 26 characters hold 130 bits; the first may carry only 3 of them.
    return text.size() == kUlidSize && text.front() <= '7' &&
           std::ranges::all_of(text, [](char c) { return kCrockford.find(c) != kCrockford.npos; });
}

}  // namespace synapsex
