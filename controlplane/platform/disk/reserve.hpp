#pragma once

// Room that is set aside while there is plenty, to be let go when there is none: a file of real
// blocks.

#include <cstdint>
#include <filesystem>
#include <utility>

namespace synapsex {

class Reserve {
 public:
    explicit Reserve(std::filesystem::path path) : path_(std::move(path)) {}

    // What the file has now, whoever made, cut or removed it meanwhile; 0 without one.
    std::uint64_t held_bytes() const;
    // So many bytes from now on, if the disk has them; otherwise none.
    void hold(std::uint64_t bytes);
    void release();

 private:
    const std::filesystem::path path_;
};

}  // namespace synapsex
