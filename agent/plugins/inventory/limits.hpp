#pragma once

// How much of a machine the inventory holds. What is beyond is left out and the section says
// `truncated`. Texts are cut between code points; lists keep their first elements by name.

#include <cstddef>
#include <string>

namespace synapsex::inventory {

inline constexpr std::size_t kDisksMax = 256;
inline constexpr std::size_t kFilesystemsMax = 512;
inline constexpr std::size_t kInterfacesMax = 256;
inline constexpr std::size_t kAddressesMax = 64;  // of one interface
inline constexpr std::size_t kPackagesMax = 5000;

// In bytes of UTF-8.
inline constexpr std::size_t kNameBytesMax = 255;   // names, models, versions of systems
inline constexpr std::size_t kPathBytesMax = 1024;  // mount points and their devices
inline constexpr std::size_t kWordBytesMax = 64;    // architectures, states, addresses
inline constexpr std::size_t kVersionBytesMax = 128;  // of a package

// Of one section together, so that its message stays below the 1 MiB that the server takes whatever
// the machine puts into its texts. A usual package list has a quarter of this.
inline constexpr std::size_t kSectionBytesMax = 900 * 1024;

// Cuts and cleans the texts of one section, and remembers whether anything was lost.
class Limiter {
 public:
    // Makes `text` valid UTF-8 of at most `bytes_max` bytes. What is not UTF-8, and control
    // characters, become U+FFFD: that is not counted as a loss.
    void limit(std::string& text, std::size_t bytes_max);
    void note_loss() { has_lost_ = true; }

    template <class List>
    void limit_count(List& list, std::size_t count_max) {
        if (list.size() <= count_max) return;
        list.resize(count_max);
        note_loss();
    }

    // Leaves out the elements from the one on that brings the sum of `size_of` beyond
    // kSectionBytesMax.
    template <class List, class SizeOf>
    void limit_bytes(List& list, SizeOf size_of) {
        std::size_t bytes = 0;
        std::size_t kept = 0;
        for (; kept < list.size(); ++kept) {
            bytes += size_of(list[kept]);
            if (bytes > kSectionBytesMax) break;
        }
        limit_count(list, kept);
    }

    bool has_lost() const { return has_lost_; }

 private:
    bool has_lost_ = false;
};

}  // namespace synapsex::inventory
