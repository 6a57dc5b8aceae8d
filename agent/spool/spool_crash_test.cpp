// Power cuts at every point of a spool's story: the file is whole, and what was promised is in it.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "agent/spool/spool_file.hpp"
#include "tests/support/crash_vfs.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using synapsex::testing::CrashVfs;
using synapsex::testing::Fault;
using synapsex::testing::Loss;
using Slots = std::set<std::int64_t>;

class SpoolCrash : public ::testing::Test {
 protected:
    // What the agent knows when the power goes.
    struct Known {
        Slots appended;   // but for the last three, which the disk need not have yet
        Slots forgotten;  // and asked for; some may come back
        std::uint64_t reserved = 0;
    };

    // Thirty appends, and what was sent is forgotten in between, until the power goes.
    static Known run(SpoolFile& spool, const CrashVfs& disk) {
        Known known;
        std::vector<std::int64_t> unsure;
        for (std::int64_t slot = 1; slot <= 30; ++slot) {
            spool.append({{slot, std::string(600, static_cast<char>('a' + slot % 26))}});
            if (disk.has_lost_power()) break;
            unsure.push_back(slot);
            if (unsure.size() == 4) {
                known.appended.insert(unsure.begin(), unsure.end());
                unsure.clear();
            }
            if (slot % 7 == 0) {
                known.forgotten.insert({slot - 6, slot - 5});
                spool.forget({slot - 6, slot - 5});
            }
            if (slot % 10 != 0) continue;
            const auto reserved = static_cast<std::uint64_t>(slot) * 100;
            if (spool.reserve_sequence(reserved) && !disk.has_lost_power())
                known.reserved = reserved;
        }
        return known;
    }
    static void check(const std::filesystem::path& remains, const Known& known) {
        SpoolFile spool{remains / "spool.db", {}};
        EXPECT_FALSE(spool.totals().is_in_memory);
        EXPECT_FALSE(std::filesystem::exists(remains / "spool.db.damaged"));
        EXPECT_EQ(spool.totals().dropped_samples, 0U);
        EXPECT_GE(spool.reserved_sequence(), known.reserved);
        Slots found;
        for (const auto& sample : spool.oldest(100, 1 << 20)) {
            found.insert(sample.slot);
            EXPECT_EQ(sample.bytes, std::string(600, static_cast<char>('a' + sample.slot % 26)));
        }
        EXPECT_EQ(found.size(), spool.totals().backlog.samples);
        for (const auto slot : known.appended)
            EXPECT_TRUE(found.contains(slot) || known.forgotten.contains(slot)) << slot;
        spool.append({{1000, "next"}});
        EXPECT_EQ(spool.totals().backlog.samples, found.size() + 1);
    }

    synapsex::testing::TemporaryFolder folder{synapsex::testing::memory_folder()};
};

TEST_F(SpoolCrash, a_power_cut_costs_no_more_than_the_samples_of_the_last_minute) {
    const auto place = folder.path() / "spool";
    std::uint64_t cut = 0;
    for (bool is_cut = true; is_cut && !HasFailure();) {
        SCOPED_TRACE("power cut at operation " + std::to_string(++cut));
        std::filesystem::create_directory(place);
        {
            CrashVfs disk;
            disk.plan(cut, Fault::power_cut);
            Known known;
            {
                SpoolFile spool{place / "spool.db", {}, disk.name()};
                known = run(spool, disk);
                is_cut = disk.has_lost_power();
                for (const auto loss : {Loss::all, Loss::some, Loss::torn}) {
                    SCOPED_TRACE("loss " + std::to_string(static_cast<int>(loss)));
                    synapsex::testing::SeededRandom random{cut};
                    const auto remains = folder.path() / "remains";
                    disk.leave_remains(remains, loss, random);
                    check(remains, known);
                    std::filesystem::remove_all(remains);
                }
            }
        }
        std::filesystem::remove_all(place);
    }
    EXPECT_GT(cut, 100U);
}

}  // namespace
}  // namespace synapsex::agent
