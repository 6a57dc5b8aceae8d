#pragma once

// Room that is set aside while there is plenty, to be let go when there is none: a file of real
// blocks.

#include <cstdint>
#include <filesystem>

namespace synapsex {

class Reserve {
 public:
    // Takes over the file that an earlier process left.
    explicit Reserve(std::filesystem::path path);

    bool is_held() const { return is_held_; }
    // Where it is not held: so many bytes from now on, if the disk has them.
    void hold(std::uint64_t bytes);
    void release();

 private:
    const std::filesystem::path path_;
    bool is_held_;
};

}  // namespace synapsex
