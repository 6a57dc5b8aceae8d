#pragma once

// Descriptors: every connection takes one, and the limit of many systems is 1,024 until a process
// asks for more.

#include <cstddef>

namespace synapsex::app {

// For the databases, the log, and what else is not a connection of a client.
inline constexpr std::size_t kOtherFilesMax = 256;

// Raises the limit of this process so that it can hold `wished` connections, and returns how many
// it can: fewer, with a warning, where the hard limit is lower. Serving some is better than serving
// none, and who comes beyond them is told 503 instead of waiting for an accept that fails. Throws
// StartRefused where not even one is possible.
std::size_t allow_connections(std::size_t wished);

}  // namespace synapsex::app
