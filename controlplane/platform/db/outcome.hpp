#pragma once

// What became of a closure that the engine ran, or would not run.

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string_view>

#include "controlplane/platform/db/database.hpp"

namespace synapsex::db {

// True: keep what it did. False: undo it.
using Body = std::function<bool(Session&)>;

// Without refusal and failure the closure ran to its end, and what it asked for has happened.
struct Outcome {
    std::optional<Problem> refusal{};
    std::exception_ptr failure{};
    // Of the closure's last run, for the log of slow ones.
    std::chrono::nanoseconds took{0};
    std::string_view slowest_query{};
};

// What the caller is told of it, on the caller's thread, whose log scopes name the request:
// rethrows the failure. A closure that took longer than `slow_time` is logged.
std::optional<Problem> settle(
    Outcome outcome, std::string_view database, std::chrono::milliseconds slow_time
);

}  // namespace synapsex::db
