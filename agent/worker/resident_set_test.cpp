#include "agent/worker/resident_set.hpp"

#include <sstream>
#include <string>

#include <gmock/gmock.h>

namespace synapsex::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Amounts {
    int anonymous = 0;
    int swap = 0;
    int lazy_free = 0;
};

std::string record(const std::string& addresses, const std::string& rights, Amounts amounts = {}) {
    const auto line = [](const std::string& name, int kib) {
        return name + ":   " + std::to_string(kib) + " kB\n";
    };
    return addresses + " " + rights + " 00001000 fe:01 4711    /usr/lib/libssl.so.3\n" +
           line("Size", 132) + line("Rss", 64) + line("Private_Dirty", amounts.anonymous) +
           line("Anonymous", amounts.anonymous) + line("LazyFree", amounts.lazy_free) +
           line("Swap", amounts.swap) + line("SwapPss", 0) +
           "THPeligible:    0\nVmFlags: rd mr mw me sd\n";
}

std::vector<PageRange> found_in(const std::string& text) {
    std::istringstream smaps{text};
    return find_unchanged_file_pages(smaps);
}

TEST(ResidentSet, drops_code_and_constants_that_are_as_in_their_file) {
    EXPECT_THAT(
        found_in(record("7f0010-7f0020", "r-xp") + record("7f0020-7f0030", "r--p")),
        ElementsAre(PageRange{0x7f0010, 0x7f0020}, PageRange{0x7f0020, 0x7f0030})
    );
}

TEST(ResidentSet, keeps_a_relocated_page_in_memory_and_one_that_is_swapped_out) {
    EXPECT_THAT(found_in(record("7f0010-7f0020", "r--p", {.anonymous = 4})), IsEmpty());
    EXPECT_THAT(found_in(record("7f0010-7f0020", "r--p", {.swap = 4})), IsEmpty());
    EXPECT_THAT(found_in(record("7f0010-7f0020", "r--p", {.lazy_free = 4})), IsEmpty());
    EXPECT_THAT(
        found_in(record("7f0010-7f0020", "r--p", {.swap = 8}) + record("7f0020-7f0030", "r--p")),
        ElementsAre(PageRange{0x7f0020, 0x7f0030})
    ) << "decided at the end of each record, for that record";
}

TEST(ResidentSet, keeps_what_may_be_written_to_and_what_is_of_no_file) {
    EXPECT_THAT(found_in(record("7f0010-7f0020", "rw-p")), IsEmpty());
    auto heap = record("7f0010-7f0020", "r--p");
    heap.replace(heap.find("4711"), 4, "0");
    EXPECT_THAT(found_in(heap), IsEmpty());
}

TEST(ResidentSet, keeps_what_a_record_does_not_speak_of) {
    for (const auto* line : {"Anonymous:   0 kB\n", "Swap:   0 kB\n"}) {
        auto text = record("7f0010-7f0020", "r--p");
        text.erase(text.find(line), std::string{line}.size());
        EXPECT_THAT(found_in(text), IsEmpty()) << line;
    }
    EXPECT_THAT(found_in(""), IsEmpty());
    EXPECT_THAT(found_in("Anonymous: 0 kB\nSwap: 0 kB\n"), IsEmpty());
}

TEST(ResidentSet, reads_this_process_and_leaves_it_alive) {
    shrink_resident_set();
    EXPECT_EQ(std::to_string(42), "42");
}

}  // namespace
}  // namespace synapsex::agent
