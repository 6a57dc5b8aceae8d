#pragma once

// Ctrl-C and SIGTERM for commands that leave something to clear away: the work goes on to its next
// look at check(), and everything is undone on the way out.

#include <array>

#include <signal.h>

namespace synapsex::app {

// While it lives SIGINT, SIGTERM and SIGHUP end nothing by themselves; one that is ignored (nohup)
// stays so. One at a time.
class Interruption {
 public:
    Interruption();
    ~Interruption();
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

    // Throws StartRefused once such a signal has come.
    static void check();

 private:
    std::array<struct sigaction, 3> before_{};
};

}  // namespace synapsex::app
