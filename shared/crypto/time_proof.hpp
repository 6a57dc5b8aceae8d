#pragma once

// The present, proved by the key of an authority (authority.hpp) to an agent whose own clock cannot
// be right, since the server's certificate does not hold by it. What an authority signs with its
// key besides certificates is this text, its last line too with a line feed:
//
//   synapsex-time-v1
//   <32 random bytes of who asks, base64url>
//   <microseconds since 1970>
//
// A certificate's signature is over DER, which begins with the byte 0x30, a '0': neither is ever
// taken for the other. The nonce makes an answer worth nothing to anybody else, or later.

#include <span>
#include <string>
#include <string_view>

#include "shared/base/time.hpp"

struct evp_pkey_st;

namespace synapsex::crypto {

inline constexpr std::size_t kTimeNonceBytes = 32;
inline constexpr std::size_t kTimeNonceSize = 43;  // in base64url, as it is asked and signed

struct TimeProof {
    Timestamp time{};
    std::string public_key{};  // DER of the SubjectPublicKeyInfo: what a pin is of
    std::string signature{};   // with SHA-256; ECDSA: DER
};

// Whether the text may be a nonce: 32 bytes in base64url.
bool is_time_nonce(std::string_view text);

TimeProof prove_time(evp_pkey_st* key, std::string_view nonce, Timestamp now);

// Whether one of the authorities of these pins (public_key_pin.hpp) has signed it for this nonce.
// False also for what is no key or no signature.
bool is_proven(const TimeProof& proof, std::string_view nonce, std::span<const std::string> pins);

}  // namespace synapsex::crypto
