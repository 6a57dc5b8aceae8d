#include "agent/worker/resident_set.hpp"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include <malloc.h>
#include <sys/mman.h>

namespace synapsex::agent {

namespace {

// One record of smaps: a line with the addresses, then lines with amounts.
struct Record {
    PageRange range;
    bool is_of_a_file = false;
    bool is_writable = true;
    bool has_anonymous = false;  // the line was there, and said 0
    bool has_swap = false;
    bool is_changed = false;

    // A page that this process has changed, such as a relocated table, would come back from the
    // file unchanged. Once it is swapped out it no longer counts as anonymous but as swap.
    bool is_unchanged() const {
        return is_of_a_file && !is_writable && has_anonymous && has_swap && !is_changed;
    }
};

// "begin-end rwxp offset device inode path".
bool parse(const std::string& line, Record& record) {
    unsigned long begin = 0;
    unsigned long end = 0;
    unsigned long inode = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %*s %*s %lu", &begin, &end, rights, &inode) != 4)
        return false;
    record = {
        .range = {begin, end}, .is_of_a_file = inode != 0, .is_writable = rights[1] == 'w'};
    return true;
}

void note_amount(const std::string& line, Record& record) {
    char name[32] = {};
    unsigned long kib = 0;
    if (std::sscanf(line.c_str(), "%31[A-Za-z_]: %lu kB", name, &kib) != 2) return;
    const std::string_view amount{name};
    if (amount == "Anonymous") record.has_anonymous = true;
    if (amount == "Swap") record.has_swap = true;
    const bool counts = amount == "Anonymous" || amount == "Swap" || amount == "LazyFree";
    if (counts && kib != 0) record.is_changed = true;
}

void drop_pages(const PageRange& range) {
    // The kernel speaks in addresses.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    ::madvise(reinterpret_cast<void*>(range.begin), range.end - range.begin, MADV_DONTNEED);
}

}  // namespace

std::vector<PageRange> find_unchanged_file_pages(std::istream& smaps) {
    std::vector<PageRange> ranges;
    Record record;
    const auto finish = [&] {
        if (record.is_unchanged()) ranges.push_back(record.range);
    };
    std::string line;
    while (std::getline(smaps, line)) {
        Record next;
        if (!parse(line, next)) {
            note_amount(line, record);
            continue;
        }
        finish();
        record = next;
    }
    finish();
    return ranges;
}

void shrink_resident_set() {
    std::ifstream smaps{"/proc/self/smaps"};
    for (const auto& range : find_unchanged_file_pages(smaps)) drop_pages(range);
    ::malloc_trim(0);
}

}  // namespace synapsex::agent
