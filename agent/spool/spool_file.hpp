#pragma once

// The spool's file, in SQLite. Bounded by bytes and by samples: the oldest go first, and are
// counted.
//
// No trouble with the disk stops the agent. A full disk costs samples (counted); a damaged file is
// set aside as <path>.damaged and a new one begun; every other error is logged.

#include <filesystem>
#include <memory>

#include "agent/spool/spool_disk.hpp"
#include "shared/sqlite/connection.hpp"

namespace synapsex::agent {

struct SpoolLimits {
    std::size_t bytes_max = 64 * 1024 * 1024;
    std::size_t samples_max = 200'000;  // a month of slots
};

class SpoolFile final : public SpoolDisk {
 public:
    // Throws sqlite::Error if not even a new file can be made: a wrong directory should be noticed
    // at the start.
    SpoolFile(std::filesystem::path path, SpoolLimits limits);
    ~SpoolFile() override;

    void append(const std::vector<EncodedSample>& samples) override;
    std::vector<EncodedSample> oldest(std::size_t samples_max, std::size_t bytes_max) override;
    void forget(const std::vector<std::int64_t>& slots) override { erase(slots); }
    void drop(const std::vector<std::int64_t>& slots) override { count_dropped(erase(slots)); }
    void count_dropped(std::uint64_t samples) override;
    SpoolTotals totals() const override { return totals_; }
    void reserve_sequence(std::uint64_t last) override;
    std::uint64_t reserved_sequence() override { return reserved_sequence_; }
    std::string server_incarnation() override;
    void set_server_incarnation(const std::string& incarnation) override;

 private:
    class Store;
    enum class OnDamage { start_anew, give_up };
    enum class Durability { cached, synced };

    // After a power cut the samples of the last minute may be missing.
    static constexpr int kAppendsBetweenSyncs = 4;

    void open(OnDamage on_damage);
    void set_aside();
    void enforce_limits();
    // How many of them there were.
    std::size_t erase(const std::vector<std::int64_t>& slots);
    // Runs `work`, which uses store_; false if the disk failed. Afterwards the file is usable.
    template <class Work>
    bool attempt(const char* what, Work work);

    const std::filesystem::path path_;
    const SpoolLimits limits_;
    std::unique_ptr<Store> store_;
    SpoolTotals totals_;
    std::uint64_t reserved_sequence_ = 0;
    int appends_since_sync_ = 0;
};

}  // namespace synapsex::agent
