#include "agent/worker/resident_set.hpp"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include <malloc.h>
#include <sys/mman.h>

namespace synapsex::agent {

namespace {

struct Mapping {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    bool is_of_a_file = false;
    bool is_writable = true;
};

// The first line of an entry of /proc/self/smaps: "begin-end rwxp offset device inode path".
bool parse(const std::string& line, Mapping& mapping) {
    unsigned long begin = 0;
    unsigned long end = 0;
    unsigned long inode = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %*s %*s %lu", &begin, &end, rights, &inode) != 4)
        return false;
    mapping = {
        .begin = begin, .end = end, .is_of_a_file = inode != 0, .is_writable = rights[1] == 'w'};
    return true;
}

void drop_pages(const Mapping& mapping) {
    // The kernel speaks in addresses.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    ::madvise(reinterpret_cast<void*>(mapping.begin), mapping.end - mapping.begin, MADV_DONTNEED);
}

}  // namespace

void shrink_resident_set() {
    std::ifstream smaps{"/proc/self/smaps"};
    Mapping mapping;
    std::string line;
    while (std::getline(smaps, line)) {
        if (parse(line, mapping)) continue;
        // Nothing but an exact zero will do: a page that this process has changed, such as a
        // relocated table, would come back from the file unchanged.
        unsigned long changed_kib = 1;
        if (std::sscanf(line.c_str(), "Anonymous: %lu kB", &changed_kib) != 1) continue;
        if (changed_kib == 0 && mapping.is_of_a_file && !mapping.is_writable) drop_pages(mapping);
    }
    ::malloc_trim(0);
}

}  // namespace synapsex::agent
