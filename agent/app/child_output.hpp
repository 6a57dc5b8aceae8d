#pragma once

// What another program says, for as long and as much as it may.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/time.hpp"

namespace synapsex::agent {

struct ChildLimits {
    std::chrono::milliseconds time{10'000};
    std::size_t bytes_max = 512 * 1024;
};

// Standard output and error of the program; its path is absolute, its environment empty but for
// LANG. What is too much or too late is cut and the program killed. nullopt: it cannot be started.
std::optional<std::string> output_of(
    const std::vector<std::string>& words, const ChildLimits& limits, const Clock& clock
);

}  // namespace synapsex::agent
