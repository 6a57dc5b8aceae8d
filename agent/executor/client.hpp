#pragma once

// Asks the executor one thing: connect, one request, one answer.

#include <chrono>
#include <filesystem>

#include "agent/executor/protocol.hpp"
#include "shared/base/result.hpp"

namespace synapsex::executor {

// Fails with executor.unreachable; an Answer with an error_code is a success here. Never blocks
// longer than `time`.
Result<Answer> ask(
    const std::filesystem::path& socket_path, Verb verb, std::chrono::milliseconds time
);

}  // namespace synapsex::executor
