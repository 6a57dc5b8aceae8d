#include "controlplane/cli/live_screen.hpp"

namespace synapsex::cli {

// One write for the whole picture, or it flickers.
void LiveScreen::draw(std::vector<std::string> lines, TerminalSize size) {
    const std::size_t lines_max = size.rows > 1 ? size.rows - 1 : 1;  // the cursor needs a line too
    if (lines.size() > lines_max) lines.resize(lines_max);
    std::string picture;
    if (lines_drawn_ > 0) picture += "\x1b[" + std::to_string(lines_drawn_) + "A";
    picture += "\r";
    for (const auto& line : lines) picture += line + "\x1b[K\n";
    picture += "\x1b[J";  // what an earlier, longer picture left
    lines_drawn_ = lines.size();
    out_ << picture << std::flush;
}

}  // namespace synapsex::cli
