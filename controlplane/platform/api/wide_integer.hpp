#pragma once

// Any value of int64_t or uint64_t, in one order.

#include <compare>
#include <concepts>
#include <cstdint>
#include <string>

namespace synapsex::api {

struct WideInteger {
    // Compared first, then the bits: two's complement keeps the order within one sign.
    bool is_natural = true;  // zero or more
    std::uint64_t bits = 0;  // of an int64_t if not natural

    friend auto operator<=>(const WideInteger&, const WideInteger&) = default;
};

constexpr WideInteger widen(std::integral auto value) {
    return {value >= 0, static_cast<std::uint64_t>(value)};
}

inline std::string to_string(WideInteger value) {
    return value.is_natural ? std::to_string(value.bits)
                            : std::to_string(static_cast<std::int64_t>(value.bits));
}

inline double to_double(WideInteger value) {
    return value.is_natural ? static_cast<double>(value.bits)
                            : static_cast<double>(static_cast<std::int64_t>(value.bits));
}

}  // namespace synapsex::api
