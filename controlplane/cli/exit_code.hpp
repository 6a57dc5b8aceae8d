#pragma once

// How the program ends, for scripts. Part of the interface: numbers never change their meaning.

#include "shared/base/problem.hpp"

namespace synapsex::cli {

enum class ExitCode {
    ok = 0,
    failure = 1,        // anything that has no number of its own
    usage = 2,          // the command line, or a value that the server refused
    not_allowed = 3,    // not signed in, or not permitted
    not_found = 4,
    unreachable = 5,    // no connection, no answer in time, or the server is not ready
    conflict = 6,       // contradicts what is there: taken, changed meanwhile, not unique
    rate_limited = 7,   // too many requests: try again later
    // As a shell names the signals that end a program: 128 and the signal's number.
    interrupted = 130,  // Ctrl-C before what was asked for was there
    pipe_closed = 141,  // nobody reads standard output any more: an end that is nobody's fault
    terminated = 143,   // SIGTERM before what was asked for was there
};

inline constexpr const char* kInterrupted = "cli.interrupted";
inline constexpr const char* kTerminated = "cli.terminated";

// Shown by --help.
inline constexpr const char* kExitCodesHelp =
    "Exit codes: 0 ok, 1 failure, 2 usage, 3 not signed in or not permitted, 4 not found,\n"
    "            5 unreachable, 6 conflict, 7 rate limited, 130 interrupted by Ctrl-C,\n"
    "            141 the reader of the output has gone, 143 ended by SIGTERM";

ExitCode exit_code_of(const Problem& problem);

}  // namespace synapsex::cli
