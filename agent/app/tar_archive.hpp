#pragma once

// A tar archive in memory (POSIX ustar): regular files of mode 0600 in one folder.

#include <string>
#include <string_view>

#include "shared/base/time.hpp"

namespace synapsex::agent {

class TarArchive {
 public:
    // `folder` is the part before the slash of every name.
    TarArchive(std::string folder, Timestamp time) : folder_(std::move(folder)), time_(time) {}

    // Throws std::length_error for a name that ustar has no room for (100 bytes with the folder).
    void add(std::string_view name, std::string_view content);
    // The whole archive.
    std::string finish() const;

 private:
    const std::string folder_;
    const Timestamp time_;
    std::string bytes_;
};

}  // namespace synapsex::agent
