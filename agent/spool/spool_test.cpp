// Stories of a spool whose disk does not always answer.

#include "agent/spool/spool.hpp"

#include <gmock/gmock.h>

#include "agent/spool/spool_file.hpp"
#include "agent/spool/stalling_disk.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SpoolTest : public ::testing::Test {
 protected:
    SpoolTest() { reopen(); }
    ~SpoolTest() override { disk_->recover(); }

    void reopen(std::uint64_t first_sequence = 1, std::chrono::milliseconds patience = 20s) {
        spool_.reset();
        disk_.reset();
        file_.reset();
        file_ = std::make_unique<SpoolFile>(path_, SpoolLimits{});
        disk_ = std::make_unique<testing::StallingDisk>(*file_);
        spool_ = std::make_unique<Spool>(*disk_, first_sequence, patience);
    }
    void append(std::int64_t first, std::int64_t last) {
        for (auto slot = first; slot <= last; ++slot) spool_->append({slot, "0123456789"});
    }
    std::vector<std::int64_t> slots(std::size_t max = 1000) {
        std::vector<std::int64_t> found;
        for (const auto& sample : spool_->oldest(max, 1 << 20)) found.push_back(sample.slot);
        return found;
    }

    synapsex::testing::TemporaryFolder directory_;
    std::filesystem::path path_ = directory_.path() / "spool.db";
    std::unique_ptr<SpoolFile> file_;
    std::unique_ptr<testing::StallingDisk> disk_;
    std::unique_ptr<Spool> spool_;
};

TEST_F(SpoolTest, gives_back_what_was_put_in_until_it_is_forgotten) {
    append(3, 6);
    EXPECT_THAT(slots(2), ElementsAre(3, 4));
    spool_->forget({3, 5});
    EXPECT_THAT(slots(), ElementsAre(4, 6));
    spool_->drop({4});
    EXPECT_THAT(slots(), ElementsAre(6));
    EXPECT_EQ(spool_->dropped_samples(), 1U);
    EXPECT_EQ(spool_->backlog().samples, 1U);
    EXPECT_EQ(spool_->backlog().bytes, 10U);
}

TEST_F(SpoolTest, writes_what_waits_before_it_ends) {
    append(1, 100);
    spool_->set_server_incarnation("inc-7");
    reopen();
    EXPECT_EQ(slots().size(), 100U);
    EXPECT_EQ(spool_->server_incarnation(), "inc-7");
}

TEST_F(SpoolTest, waits_for_no_disk_and_loses_no_sample_while_it_stalls) {
    reopen(1, 1ms);
    disk_->stall();
    append(1, 200);
    EXPECT_EQ(spool_->backlog().samples, 200U);
    const auto sequence = spool_->next_sequence();
    EXPECT_THAT(slots(), IsEmpty()) << "no telemetry now, but a heartbeat";
    EXPECT_THAT(slots(), IsEmpty());
    EXPECT_EQ(spool_->next_sequence(), sequence + 1);
    disk_->recover();
    disk_->wait_for_appended(200);
    reopen();
    EXPECT_EQ(slots().size(), 200U);
    EXPECT_EQ(spool_->dropped_samples(), 0U);
}

TEST_F(SpoolTest, counts_what_does_not_fit_while_the_disk_stalls) {
    disk_->stall();
    append(1, Spool::kWaitingMax + 10);
    EXPECT_EQ(spool_->dropped_samples(), 10U);
    EXPECT_EQ(spool_->backlog().samples, Spool::kWaitingMax);
    disk_->recover();
    disk_->wait_for_appended(Spool::kWaitingMax);
    EXPECT_EQ(slots().back(), Spool::kWaitingMax);
    reopen();
    EXPECT_EQ(spool_->dropped_samples(), 10U) << "over restarts too";
}

TEST_F(SpoolTest, gives_no_more_than_asked_for_though_the_answer_is_to_an_earlier_question) {
    reopen(1, 0ms);
    append(1, 5);
    disk_->wait_for_appended(5);
    std::vector<std::int64_t> found;
    while (found.empty()) found = slots(5);
    disk_->stall();
    EXPECT_THAT(slots(5), IsEmpty());
    disk_->recover();
    while ((found = slots(1)).empty()) continue;
    EXPECT_THAT(found, ElementsAre(1));
}

TEST_F(SpoolTest, numbers_heartbeats_from_the_given_one_and_from_behind_those_that_are_reserved) {
    reopen(5000);
    EXPECT_EQ(spool_->next_sequence(), 5000U);
    reopen(4000);
    EXPECT_EQ(spool_->next_sequence(), 6000U) << "the clock was set back";
}

TEST_F(SpoolTest, begins_with_more_than_any_agent_can_have_used) {
    const Timestamp enrolled_at{1'800'000'000s};
    // Ten restarts a second, each with a block of its own; and the file is lost.
    const auto used = Spool::first_sequence(enrolled_at) + 60 * 10 * Spool::kSequenceBlock;
    EXPECT_GT(Spool::first_sequence(enrolled_at + 60s), used);
    EXPECT_GE(Spool::first_sequence(Timestamp{-1s}), 1U);
}

TEST_F(SpoolTest, uses_no_number_twice_though_the_disk_is_full_at_each_start) {
    std::uint64_t last = 0;
    disk_->refuse_reservations();
    for (std::uint64_t now = 1'000'000; now < 1'000'100; now += 10) {
        spool_ = std::make_unique<Spool>(*disk_, now, 20s);
        const auto next = spool_->next_sequence();
        EXPECT_GT(next, last);
        last = next;
    }
}

TEST_F(SpoolTest, reserves_numbers_as_soon_as_the_disk_takes_it) {
    spool_.reset();
    disk_->refuse_reservations();
    spool_ = std::make_unique<Spool>(*disk_, 5000, 20s);
    const auto used = spool_->next_sequence();
    append(1, 1);
    EXPECT_EQ(slots().size(), 1U);
    disk_->take_reservations();
    append(2, 2);
    EXPECT_EQ(slots().size(), 2U);
    EXPECT_GE(file_->reserved_sequence(), used);
}

TEST_F(SpoolTest, tells_that_it_is_in_memory) {
    EXPECT_FALSE(spool_->is_in_memory());
    path_ = directory_.path() / "missing" / "spool.db";
    reopen();
    EXPECT_TRUE(spool_->is_in_memory());
    append(1, 3);
    EXPECT_THAT(slots(), ElementsAre(1, 2, 3));
}

TEST_F(SpoolTest, numbers_heartbeats_without_a_write_for_each) {
    EXPECT_EQ(spool_->next_sequence(), 1U);
    EXPECT_EQ(spool_->next_sequence(), 2U);
    std::uint64_t last = 0;
    for (int i = 0; i < 2000; ++i) last = spool_->next_sequence();
    EXPECT_EQ(last, 2002U);
    reopen();
    const auto next = spool_->next_sequence();
    EXPECT_GT(next, last);
    EXPECT_LE(next, last + 2 * Spool::kSequenceBlock);
}

TEST_F(SpoolTest, has_numbers_on_the_disk_before_they_are_used) {
    for (int i = 0; i < 700; ++i) spool_->next_sequence();
    (void)slots();  // the disk has done what was asked of it before
    EXPECT_GE(file_->reserved_sequence(), 701U);
}

TEST_F(SpoolTest, counts_on_though_the_disk_stalls_for_longer_than_the_block_lasts) {
    disk_->stall();
    std::uint64_t last = 0;
    for (int i = 0; i < 3000; ++i) last = spool_->next_sequence();
    EXPECT_EQ(last, 3000U);
}

}  // namespace
}  // namespace synapsex::agent
