#pragma once

// The random secrets of auth-service and their text forms.
//
//   API key        sk_sx_<30 base62><6 base62>   179 bits; the last six are a checksum
//   refresh token  rt_sx_<21 base62><22 base62>  125 bits of the session, 131 bits of the token
//
// All refresh tokens of a session have the same 21 characters, so that one that counts no more is
// known by who has never seen it: it was given out, or somebody has seen one that was.
//
// The checksum is the CRC-32 (ISO-HDLC, as in zlib) of the 30 random characters, in base62 with the
// alphabet 0-9A-Za-z, six digits, most significant first. It lets a scanner tell a key from a
// look-alike without asking, and the server refuse a typo without a look-up. Both kinds are stored
// as SHA-256 only: they are random, so there is nothing for a slow hash to protect.

#include <string>
#include <string_view>

#include "shared/base/random.hpp"

namespace synapsex::auth {

inline constexpr std::string_view kApiKeyPrefix = "sk_sx_";
inline constexpr std::string_view kRefreshTokenPrefix = "rt_sx_";

std::string make_api_key(Random& random);
// Of the right form and with the right checksum: what is left to ask is whether it exists.
bool is_api_key(std::string_view text);
// What lists show to tell keys apart: "sk_sx_" and six characters.
std::string api_key_display_prefix(std::string_view key);

std::string make_refresh_token(Random& random);
// Another one of the same session.
std::string make_successor(std::string_view refresh_token, Random& random);
// The characters that all of a session have, with the prefix.
std::string_view family_of(std::string_view refresh_token);
bool is_refresh_token(std::string_view text);

}  // namespace synapsex::auth
