#pragma once

// One supervisor and one executor for each run directory: taken before anything there is touched,
// so that a second one leaves the first alone.

#include <filesystem>

#include "shared/base/result.hpp"
#include "shared/base/descriptor.hpp"

namespace synapsex::executor {

// Held until the process ends, however it ends.
class RunLock {
 public:
    // Fails with executor.already_running or executor.lock_failed. `who` is a word of the sentence.
    static Result<RunLock> take(const std::filesystem::path& path, const std::string& who);

 private:
    explicit RunLock(Descriptor file) : file_(std::move(file)) {}

    Descriptor file_;
};

}  // namespace synapsex::executor
