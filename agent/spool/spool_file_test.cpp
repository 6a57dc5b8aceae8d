// Stories of the spool's file: restarts, limits, damage and a full disk.

#include "agent/spool/spool_file.hpp"

#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using ::testing::ElementsAre;

class SpoolFileTest : public ::testing::Test {
 protected:
    SpoolFileTest() { reopen(); }

    void reopen(SpoolLimits limits = {}) {
        spool_.reset();
        spool_ = std::make_unique<SpoolFile>(path_, limits);
    }
    void append(std::int64_t first, std::int64_t last, std::size_t bytes = 10) {
        for (auto slot = first; slot <= last; ++slot)
            append({slot, std::string(bytes, static_cast<char>('a' + slot % 26))});
    }
    void append(EncodedSample sample) { spool_->append({std::move(sample)}); }
    Backlog backlog() const { return spool_->totals().backlog; }
    std::uint64_t dropped() const { return spool_->totals().dropped_samples; }
    std::vector<std::int64_t> slots(std::size_t max = 1000) {
        std::vector<std::int64_t> found;
        for (const auto& sample : spool_->oldest(max, 1 << 20)) found.push_back(sample.slot);
        return found;
    }

    synapsex::testing::TemporaryFolder directory_;
    std::filesystem::path path_ = directory_.path() / "spool.db";
    std::unique_ptr<SpoolFile> spool_;
};

TEST_F(SpoolFileTest, gives_samples_back_in_order_of_their_slots_after_a_restart) {
    append(7, 8);
    append(3, 4);
    reopen();
    EXPECT_THAT(slots(), ElementsAre(3, 4, 7, 8));
    EXPECT_THAT(slots(2), ElementsAre(3, 4));
    EXPECT_EQ(backlog().samples, 4U);
    EXPECT_EQ(backlog().bytes, 40U);
}

TEST_F(SpoolFileTest, keeps_the_first_sample_of_a_slot) {
    append({5, "first"});
    append({5, "second"});
    EXPECT_THAT(spool_->oldest(10, 100), ElementsAre(EncodedSample{5, "first"}));
    EXPECT_EQ(backlog().samples, 1U);
}

TEST_F(SpoolFileTest, gives_no_more_bytes_than_asked_for) {
    append(1, 10, 100);
    EXPECT_EQ(spool_->oldest(10, 350).size(), 3U);
}

TEST_F(SpoolFileTest, forgets_the_slots_that_are_named_and_none_between_them) {
    append(1, 6);
    spool_->forget({2, 4, 4, 99});
    EXPECT_THAT(slots(), ElementsAre(1, 3, 5, 6));
    EXPECT_EQ(backlog().samples, 4U);
    EXPECT_EQ(backlog().bytes, 40U);
    EXPECT_EQ(dropped(), 0U);
}

TEST_F(SpoolFileTest, counts_what_is_given_up) {
    append(1, 3);
    spool_->drop({2, 7});
    EXPECT_THAT(slots(), ElementsAre(1, 3));
    reopen();
    EXPECT_EQ(dropped(), 1U);
}

TEST_F(SpoolFileTest, drops_the_oldest_by_count_and_remembers_how_many) {
    reopen({.bytes_max = 1 << 20, .samples_max = 100});
    append(1, 130);
    EXPECT_LE(backlog().samples, 100U);
    EXPECT_EQ(slots().back(), 130);
    EXPECT_EQ(dropped() + backlog().samples, 130U);
    const auto before = dropped();
    reopen();
    EXPECT_EQ(dropped(), before);
}

TEST_F(SpoolFileTest, drops_the_oldest_by_bytes) {
    reopen({.bytes_max = 1000, .samples_max = 1000});
    append(1, 30, 100);
    EXPECT_LE(backlog().bytes, 1000U);
    EXPECT_EQ(slots().back(), 30);
}

TEST_F(SpoolFileTest, remembers_which_numbers_are_reserved_and_never_fewer) {
    EXPECT_EQ(spool_->reserved_sequence(), 0U);
    spool_->reserve_sequence(1000);
    spool_->reserve_sequence(500);
    reopen();
    EXPECT_EQ(spool_->reserved_sequence(), 1000U);
}

TEST_F(SpoolFileTest, remembers_the_servers_incarnation) {
    spool_->set_server_incarnation("inc-7");
    reopen();
    EXPECT_EQ(spool_->server_incarnation(), "inc-7");
}

TEST_F(SpoolFileTest, sets_a_damaged_file_aside_and_begins_anew) {
    append(1, 5);
    spool_.reset();
    std::ofstream{path_} << std::string(8192, 'x');
    reopen();
    EXPECT_TRUE(slots().empty());
    EXPECT_TRUE(std::filesystem::exists(path_.string() + ".damaged"));
    append(6, 6);
    EXPECT_THAT(slots(), ElementsAre(6));
}

TEST_F(SpoolFileTest, keeps_the_reserved_numbers_when_it_begins_anew) {
    append(1, 600, 500);
    reopen();
    spool_->reserve_sequence(5000);
    {
        std::fstream file{path_, std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(4096 * 2);
        file << std::string(4096 * 60, '\xFF');
    }
    EXPECT_TRUE(slots().empty()) << "the damage is met";
    append(1000, 1000);
    EXPECT_TRUE(std::filesystem::exists(path_.string() + ".damaged"));
    reopen();
    EXPECT_THAT(slots(), ElementsAre(1000));
    EXPECT_EQ(spool_->reserved_sequence(), 5000U);
}

// A file that may not grow: to SQLite a write that fails half-way, as on a full disk.
class NoMoreSpace {
 public:
    explicit NoMoreSpace(std::uintmax_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit less{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &less);
    }
    ~NoMoreSpace() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    NoMoreSpace(const NoMoreSpace&) = delete;
    NoMoreSpace& operator=(const NoMoreSpace&) = delete;

 private:
    void (*handler_)(int);
    rlimit before_{};
};

TEST_F(SpoolFileTest, counts_what_a_full_disk_does_not_take_and_goes_on_when_there_is_room) {
    append(1, 5, 1000);
    {
        const NoMoreSpace full{16 * 1024};
        append(6, 105, 1000);
        spool_->reserve_sequence(7000);
        EXPECT_GT(dropped(), 50U);
        EXPECT_EQ(dropped() + backlog().samples, 105U);
        EXPECT_GE(slots().size(), 5U) << "what is there can be read and sent";
    }
    append(200, 202, 1000);
    EXPECT_EQ(slots().front(), 1);
    EXPECT_EQ(slots().back(), 202);
    const auto lost = dropped();
    append(203, 203);
    spool_->drop({203});
    reopen();
    EXPECT_EQ(dropped(), lost + 1) << "the count survives as well";
    spool_->reserve_sequence(7001);
    EXPECT_EQ(slots().back(), 202);
}

TEST_F(SpoolFileTest, outlives_damage_that_it_meets_while_it_runs) {
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
    spool_->forget({1000, 1001});
    append(2001, 2001);
    append(2002, 2002);
    EXPECT_EQ(slots().back(), 2002);
}

TEST_F(SpoolFileTest, refuses_to_start_where_no_file_can_be_made) {
    EXPECT_THROW(SpoolFile(directory_.path() / "missing" / "spool.db", {}), sqlite::Error);
}

}  // namespace
}  // namespace synapsex::agent
