#pragma once

// Names a certificate by its public key, which outlives the certificate: SHA-256 over the DER of
// the SubjectPublicKeyInfo (RFC 7469, section 2.4), in base64url without padding, 43 characters.

#include <filesystem>
#include <string>
#include <string_view>

#include "shared/base/result.hpp"

struct x509_st;

namespace synapsex::crypto {

inline constexpr std::size_t kPublicKeyPinSize = 43;

std::string public_key_pin(const x509_st* certificate);
// Of the first certificate in a PEM file. Kind::invalid crypto.certificate_unreadable.
Result<std::string> public_key_pin_of_file(const std::filesystem::path& path);
// Whether the text may be one.
bool is_public_key_pin(std::string_view text);

}  // namespace synapsex::crypto
