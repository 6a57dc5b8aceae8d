#pragma once

// Digests and the text forms of bytes. OpenSSL underneath; a failure of OpenSSL itself throws
// std::runtime_error.

#include <optional>
#include <string>
#include <string_view>

namespace synapsex::crypto {

// 32 bytes.
std::string sha256(std::string_view bytes);
// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

// HMAC-SHA-256 (RFC 2104), 64 hex digits: a digest that tells nothing of a guessable text to those
// who have not got the key.
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);

std::string to_hex(std::string_view bytes);

// RFC 4648 section 5, without padding.
std::string to_base64url(std::string_view bytes);
// nullopt for padding, other alphabets, an impossible length or non-zero spare bits: one text for
// one value.
std::optional<std::string> from_base64url(std::string_view text);

// Compares in time that depends on the sizes only.
bool equal_in_constant_time(std::string_view left, std::string_view right);

}  // namespace synapsex::crypto
