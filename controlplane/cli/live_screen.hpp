#pragma once

// Lines on a terminal that are drawn again where they stand. The last picture stays when it ends,
// and there is nothing to undo: a program that dies here leaves the terminal as it was.

#include <ostream>
#include <string>
#include <vector>

#include "controlplane/cli/surroundings.hpp"

namespace synapsex::cli {

class LiveScreen {
 public:
    explicit LiveScreen(std::ostream& out) : out_(out) {}

    // No line may be wider than the terminal; lines that do not fit below each other are left out.
    void draw(std::vector<std::string> lines, TerminalSize size);

 private:
    std::ostream& out_;
    std::size_t lines_drawn_ = 0;
};

}  // namespace synapsex::cli
