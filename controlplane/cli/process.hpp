#pragma once

// The real surroundings: this process, its terminal, its signals.

#include "controlplane/cli/surroundings.hpp"

namespace synapsex::cli {

Surroundings surroundings_of_process(Clock& clock, Random& random);

}  // namespace synapsex::cli
