#pragma once

// The lines of a file one by one, in constant memory and without allocating.
//
// A line longer than kLineMax is cut there and its rest skipped. After kFileMax bytes the file
// ends, so that no file, however made, keeps the agent busy for ever.

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "agent/platform/linux/root.hpp"

namespace synapsex::platform {

class LineReader {
 public:
    static constexpr std::size_t kLineMax = 8192;
    static constexpr std::size_t kFileMax = 256 * 1024 * 1024;

    // A file that is not open has no lines.
    explicit LineReader(Descriptor file) : file_(std::move(file)) {}

    // Without its line break; valid until the next call. nullopt at the end.
    std::optional<std::string_view> next();

 private:
    bool fill();
    void skip_rest_of_line();

    Descriptor file_;
    std::array<char, kLineMax> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t bytes_read_ = 0;
    bool is_line_cut_ = false;
};

}  // namespace synapsex::platform
