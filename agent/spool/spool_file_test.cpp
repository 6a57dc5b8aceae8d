// Stories of the spool's file: restarts, limits, damage and a full disk.

#include "agent/spool/spool_file.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using ::testing::ElementsAre;

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

TEST_F(SpoolFileTest, keeps_what_it_knows_and_counts_what_is_lost_when_it_begins_anew) {
    append(1, 600, 500);
    spool_->count_dropped(7);
    spool_->set_server_incarnation("inc-7");
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
    EXPECT_EQ(dropped(), 607U) << "what was in it is lost";
    reopen();
    EXPECT_THAT(slots(), ElementsAre(1000));
    EXPECT_EQ(spool_->reserved_sequence(), 5000U);
    EXPECT_EQ(spool_->server_incarnation(), "inc-7");
    EXPECT_EQ(dropped(), 607U);
}

TEST_F(SpoolFileTest, counts_what_a_full_disk_does_not_take_and_goes_on_when_there_is_room) {
    append(1, 5, 1000);
    {
        const NoMoreSpace full{16 * 1024};
        append(6, 105, 1000);
        EXPECT_FALSE(spool_->reserve_sequence(7000));
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
    EXPECT_TRUE(spool_->reserve_sequence(7001));
    EXPECT_EQ(slots().back(), 202);
}

TEST_F(SpoolFileTest, is_read_after_a_restart_on_a_full_disk) {
    append(1, 5);
    spool_->count_dropped(7);
    spool_->reserve_sequence(1000);
    spool_.reset();
    const NoMoreSpace full{0};
    reopen();
    EXPECT_FALSE(spool_->totals().is_in_memory);
    EXPECT_THAT(slots(), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_EQ(dropped(), 7U);
    EXPECT_EQ(spool_->reserved_sequence(), 1000U);
}

TEST_F(SpoolFileTest, is_in_memory_while_no_file_can_be_made_and_moves_there_once_one_can) {
    path_ = directory_.path() / "new.db";
    {
        const NoMoreSpace full{0};
        reopen();
        append(1, 3);
        EXPECT_TRUE(spool_->reserve_sequence(1000));
        spool_->set_server_incarnation("inc-7");
        EXPECT_TRUE(spool_->totals().is_in_memory);
        EXPECT_THAT(slots(), ElementsAre(1, 2, 3)) << "they can be sent";
        spool_->forget({2});
        EXPECT_EQ(backlog().samples, 2U);
    }
    append(4, 4);
    EXPECT_FALSE(spool_->totals().is_in_memory);
    EXPECT_EQ(backlog().samples, 3U);
    reopen();
    EXPECT_THAT(slots(), ElementsAre(1, 3, 4));
    EXPECT_EQ(dropped(), 0U);
    EXPECT_EQ(spool_->reserved_sequence(), 1000U);
    EXPECT_EQ(spool_->server_incarnation(), "inc-7");
}

TEST_F(SpoolFileTest, keeps_a_day_of_samples_in_memory_and_no_more) {
    path_ = directory_.path() / "missing" / "spool.db";
    reopen();
    std::vector<EncodedSample> samples;
    for (std::int64_t slot = 1; slot <= 7000; ++slot) samples.push_back({slot, "x"});
    spool_->append(samples);
    EXPECT_LE(backlog().samples, 5760U);
    EXPECT_GT(backlog().samples, 5600U);
    EXPECT_EQ(slots(10'000).back(), 7000);
    EXPECT_EQ(dropped() + backlog().samples, 7000U);
}

TEST_F(SpoolFileTest, counts_what_is_erased_though_its_room_cannot_be_given_back) {
    for (std::int64_t first = 0; first < 1500; first += 300) {
        std::vector<EncodedSample> samples;
        for (auto slot = first; slot < first + 300; ++slot)
            samples.push_back({slot, std::string(170, 'x')});
        spool_->append(samples);
    }
    spool_.reset();
    const auto whole = directory_.path() / "whole.db";
    std::filesystem::rename(path_, whole);
    std::vector<std::int64_t> all;
    for (std::int64_t slot = 0; slot < 400; ++slot) all.push_back(slot);
    // Somewhere between nothing and everything the erasing fits and the giving back does not.
    for (std::uintmax_t pages = 1; pages < 60; ++pages) {
        std::filesystem::copy_file(
            whole, path_, std::filesystem::copy_options::overwrite_existing
        );
        reopen();
        {
            const NoMoreSpace full{pages * 4096};
            spool_->drop(all);
        }
        const auto left = slots(10'000).size();
        EXPECT_EQ(backlog().samples, left) << pages;
        EXPECT_EQ(dropped(), 1500 - left) << pages;
        spool_.reset();
    }
}

TEST_F(SpoolFileTest, says_once_that_the_disk_fails_and_once_that_it_works_again) {
    append(1, 5, 1000);
    const auto lines_while = [](const auto& work) {
        ::testing::internal::CaptureStderr();
        work();
        const auto text = ::testing::internal::GetCapturedStderr();
        return std::ranges::count(text, '\n');
    };
    std::optional<NoMoreSpace> full{std::in_place, 1024};
    EXPECT_EQ(lines_while([&] { append(6, 6, 1000); }), 1);
    EXPECT_EQ(lines_while([&] {
        append(7, 20, 1000);
        (void)slots();
        spool_->forget({1, 2});
    }), 0);
    full.reset();
    EXPECT_EQ(lines_while([&] { append(30, 30); }), 1);
    EXPECT_EQ(lines_while([&] { append(31, 40); }), 0);
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

// Counts how often SQLite asks the disk to keep its log for good.
class SyncedLogTest : public SpoolFileTest {
 protected:
    static void SetUpTestSuite() {
        system_ = sqlite3_vfs_find(nullptr);
        counting_ = *system_;
        counting_.zName = "counting";
        counting_.xOpen = open;
        sqlite3_vfs_register(&counting_, 1);
    }
    static void TearDownTestSuite() { sqlite3_vfs_unregister(&counting_); }

    template <class Work>
    static int syncs_while(Work work) {
        const int before = syncs_;
        work();
        return syncs_ - before;
    }

 private:
    static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* used) {
        const int code = system_->xOpen(system_, path, file, flags, used);
        if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
        methods_ = *file->pMethods;
        methods_.xSync = sync;
        sync_of_system_ = file->pMethods->xSync;
        file->pMethods = &methods_;
        return code;
    }
    static int sync(sqlite3_file* file, int flags) {
        ++syncs_;
        return sync_of_system_(file, flags);
    }

    static inline sqlite3_vfs* system_ = nullptr;
    static inline sqlite3_vfs counting_{};
    static inline sqlite3_io_methods methods_{};
    static inline int (*sync_of_system_)(sqlite3_file*, int) = nullptr;
    static inline int syncs_ = 0;
};

TEST_F(SyncedLogTest, is_on_the_disk_itself_when_numbers_are_reserved) {
    append(1, 1);
    EXPECT_EQ(syncs_while([&] { spool_->reserve_sequence(1000); }), 1);
}

TEST_F(SyncedLogTest, is_on_the_disk_itself_once_a_minute) {
    append(1, 1);
    for (std::int64_t slot = 2; slot < 30; slot += 4)
        EXPECT_EQ(syncs_while([&] { append(slot, slot + 3); }), 1) << "not with each sample";
}

}  // namespace
}  // namespace synapsex::agent
