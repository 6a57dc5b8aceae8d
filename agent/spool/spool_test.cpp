// Stories of a spool and its file: restarts, limits, damage and a full disk.

#include "agent/spool/spool.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using ::testing::ElementsAre;

class SpoolTest : public ::testing::Test {
 protected:
    SpoolTest() { reopen(); }

    void reopen(SpoolLimits limits = {}) {
        spool_.reset();
        spool_ = std::make_unique<Spool>(path_, limits);
    }
    void append(std::int64_t first, std::int64_t last, std::size_t bytes = 10) {
        for (auto slot = first; slot <= last; ++slot)
            spool_->append({slot, std::string(bytes, static_cast<char>('a' + slot % 26))});
    }
    std::vector<std::int64_t> slots(std::size_t max = 1000) {
        std::vector<std::int64_t> found;
        for (const auto& sample : spool_->oldest(max, 1 << 20)) found.push_back(sample.slot);
        return found;
    }

    synapsex::testing::TemporaryFolder directory_;
    std::filesystem::path path_ = directory_.path() / "spool.db";
    std::unique_ptr<Spool> spool_;
};

TEST_F(SpoolTest, gives_samples_back_in_order_of_their_slots_after_a_restart) {
    append(7, 8);
    append(3, 4);
    reopen();
    EXPECT_THAT(slots(), ElementsAre(3, 4, 7, 8));
    EXPECT_THAT(slots(2), ElementsAre(3, 4));
    EXPECT_EQ(spool_->backlog().samples, 4U);
    EXPECT_EQ(spool_->backlog().bytes, 40U);
}

TEST_F(SpoolTest, keeps_the_first_sample_of_a_slot) {
    spool_->append({5, "first"});
    spool_->append({5, "second"});
    EXPECT_THAT(spool_->oldest(10, 100), ElementsAre(EncodedSample{5, "first"}));
    EXPECT_EQ(spool_->backlog().samples, 1U);
}

TEST_F(SpoolTest, gives_no_more_bytes_than_asked_for) {
    append(1, 10, 100);
    EXPECT_EQ(spool_->oldest(10, 350).size(), 3U);
}

TEST_F(SpoolTest, forgets_from_one_slot_to_another_and_says_how_many) {
    append(1, 6);
    EXPECT_EQ(spool_->forget(2, 4), 3U);
    EXPECT_EQ(spool_->forget(2, 4), 0U);
    EXPECT_THAT(slots(), ElementsAre(1, 5, 6));
}

TEST_F(SpoolTest, drops_the_oldest_by_count_and_remembers_how_many) {
    reopen({.bytes_max = 1 << 20, .samples_max = 100});
    append(1, 130);
    EXPECT_LE(spool_->backlog().samples, 100U);
    EXPECT_EQ(slots().back(), 130);
    EXPECT_EQ(spool_->dropped_samples() + spool_->backlog().samples, 130U);
    const auto dropped = spool_->dropped_samples();
    reopen();
    EXPECT_EQ(spool_->dropped_samples(), dropped);
}

TEST_F(SpoolTest, drops_the_oldest_by_bytes) {
    reopen({.bytes_max = 1000, .samples_max = 1000});
    append(1, 30, 100);
    EXPECT_LE(spool_->backlog().bytes, 1000U);
    EXPECT_EQ(slots().back(), 30);
}

TEST_F(SpoolTest, counts_the_sequence_over_restarts) {
    EXPECT_EQ(spool_->next_sequence(1000), 1000U);
    EXPECT_EQ(spool_->next_sequence(5000), 1001U);
    reopen();
    EXPECT_EQ(spool_->next_sequence(5000), 1002U);
}

TEST_F(SpoolTest, remembers_the_servers_incarnation) {
    spool_->set_server_incarnation("inc-7");
    reopen();
    EXPECT_EQ(spool_->server_incarnation(), "inc-7");
}

TEST_F(SpoolTest, sets_a_damaged_file_aside_and_begins_anew) {
    append(1, 5);
    spool_.reset();
    std::ofstream{path_} << std::string(8192, 'x');
    reopen();
    EXPECT_TRUE(slots().empty());
    EXPECT_TRUE(std::filesystem::exists(path_.string() + ".damaged"));
    append(6, 6);
    EXPECT_THAT(slots(), ElementsAre(6));
}

TEST_F(SpoolTest, outlives_damage_that_it_meets_while_it_runs) {
    append(1, 300, 500);
    spool_.reset();
    {
        // The header stays good, the pages behind it do not.
        std::fstream file{path_, std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(4096 * 2);
        file << std::string(4096 * 20, '\xFF');
    }
    reopen();
    append(1000, 1010);
    spool_->forget(1000, 2000);
    append(2001, 2001);
    append(2002, 2002);
    EXPECT_EQ(slots().back(), 2002);
}

TEST_F(SpoolTest, refuses_to_start_where_no_file_can_be_made) {
    EXPECT_THROW(Spool(directory_.path() / "missing" / "spool.db", {}), sqlite::Error);
}

}  // namespace
}  // namespace synapsex::agent
