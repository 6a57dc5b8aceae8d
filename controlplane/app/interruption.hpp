#pragma once

// Ctrl-C and SIGTERM for commands that leave something to clear away: the work goes on to its next
// look at check(), and everything is undone on the way out.

namespace synapsex::app {

// While it lives SIGINT, SIGTERM and SIGHUP end nothing by themselves. One at a time.
class Interruption {
 public:
    Interruption();
    ~Interruption();
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

    // Throws StartRefused once such a signal has come.
    static void check();
};

}  // namespace synapsex::app
