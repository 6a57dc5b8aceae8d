#pragma once

// The real surroundings: this process, its terminal, its signals.

#include "controlplane/cli/surroundings.hpp"

namespace synapsex::cli {

// To be called first: no socket may take the number of a closed standard stream, and no peer that
// hangs up may end the program by SIGPIPE.
void prepare_process();

Surroundings surroundings_of_process(Clock& clock, Random& random);

}  // namespace synapsex::cli
