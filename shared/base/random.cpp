#include "shared/base/random.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string_view>
#include <system_error>

#include <sys/random.h>

namespace synapsex {

std::uint64_t Random::next() {
    std::uint64_t value = 0;
    fill(std::as_writable_bytes(std::span{&value, 1}));
    return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
    if (bound == 0) return 0;
    // Values past the last whole multiple of `bound` would favour the small results.
    const std::uint64_t limit = std::numeric_limits<std::uint64_t>::max() / bound * bound;
    std::uint64_t value = next();
    while (value >= limit) value = next();
    return value % bound;
}

std::string Random::base62(std::size_t size) {
    static constexpr std::string_view kAlphabet =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string text(size, '0');
    for (char& c : text) c = kAlphabet[below(kAlphabet.size())];
    return text;
}

namespace {

void fill_from_kernel(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const auto count = ::getrandom(bytes.data(), bytes.size(), 0);
        if (count < 0) {
            if (errno == EINTR) continue;
            throw std::system_error(errno, std::generic_category(), "getrandom");
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

// What was drawn ahead, for the many small wishes (ids, jitter). Bytes that were handed out are
// wiped. A process that forks must not draw in both halves; ours exec at once.
class Reserve {
 public:
    static constexpr std::size_t kSmall = 16;

    void take(std::span<std::byte> bytes) {
        if (left_ < bytes.size()) {
            fill_from_kernel(drawn_);
            left_ = drawn_.size();
        }
        left_ -= bytes.size();
        const auto source = std::span{drawn_}.subspan(left_, bytes.size());
        std::ranges::copy(source, bytes.begin());
        std::ranges::fill(source, std::byte{});
    }

 private:
    std::array<std::byte, 512> drawn_{};
    std::size_t left_ = 0;
};

}  // namespace

void SystemRandom::fill(std::span<std::byte> bytes) {
    thread_local Reserve reserve;
    if (bytes.size() <= Reserve::kSmall) reserve.take(bytes);
    else fill_from_kernel(bytes);
}

}  // namespace synapsex
