#pragma once

// Files of the system that is looked at, below an injectable root directory: "/" in the agent, a
// fixture tree in tests. Paths are relative to it ("proc/stat").
//
// Only regular files are opened (which /proc and /sys pretend to be), never a pipe or a device that
// could block; every read has a limit; what is missing or refused reads as empty.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/platform/system_facts.hpp"
#include "shared/base/descriptor.hpp"

namespace synapsex::platform {

class Root {
 public:
    // Throws std::system_error if `path` is not a directory.
    explicit Root(const std::string& path);

    // Not open if there is no such regular file, or if we may not read it.
    Descriptor open(const std::string& path) const;
    // The first `max_bytes` of the file.
    std::string read(const std::string& path, std::size_t max_bytes = 4096) const;
    // The same without white space around it: how /sys writes one value.
    std::string read_value(const std::string& path) const;
    std::optional<std::uint64_t> read_number(const std::string& path) const;

    bool exists(const std::string& path) const;
    // Where a symbolic link points to, as written; empty if it is none.
    std::string read_link(const std::string& path) const;
    // Names in a directory, sorted, without "." and "..": at most the first `max` as the system
    // lists them.
    std::vector<std::string> list(const std::string& path, std::size_t max = 16'384) const;
    // Entries whose names start with a digit, without keeping them: the processes in "proc".
    std::uint32_t count_numbered(const std::string& path) const;
    PackageStamp stamp(const std::string& path) const;

 private:
    Descriptor directory_;
};

}  // namespace synapsex::platform
