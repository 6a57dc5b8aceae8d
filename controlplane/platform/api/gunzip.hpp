#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "shared/base/result.hpp"

namespace synapsex::api {

// Undoes Content-Encoding: gzip (RFC 1952, one member). Never holds more than `bytes_max` + 64 KiB.
// Kind::invalid request.encoding_broken, Kind::too_large request.too_large.
Result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max);

}  // namespace synapsex::api
