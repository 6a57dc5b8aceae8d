#pragma once

// Content-Encoding: gzip (RFC 1952).

#include <cstddef>
#include <string>
#include <string_view>

#include "shared/base/result.hpp"

namespace synapsex::api {

// One member, without name and time: the same text is always the same bytes. Quick rather than
// small (zlib's level 1): answers are packed while somebody waits.
std::string gzip(std::string_view text);

// Undoes it; one member. Never holds more than `bytes_max` + 64 KiB.
// Kind::invalid request.encoding_broken, Kind::too_large request.too_large.
Result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max);

}  // namespace synapsex::api
