#pragma once

#include <cstdint>
#include <istream>
#include <vector>

namespace synapsex::agent {

// Gives back the memory that only the start needed: free blocks of the heap, and the pages of
// programs and libraries that were read once (relocation, TLS set-up, parsing the configuration).
// Pages of files that are still in use come back from the page cache by themselves; a resident
// process should not count those that are not. Takes some milliseconds.
void shrink_resident_set();

struct PageRange {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;

    friend bool operator==(const PageRange&, const PageRange&) = default;
};

// The mappings of /proc/self/smaps whose pages all come back from their files as they were: read
// only, of a file, and no page of them was ever changed, be the changed page in memory or swapped
// out. A record that does not say so is left out.
std::vector<PageRange> find_unchanged_file_pages(std::istream& smaps);

}  // namespace synapsex::agent
