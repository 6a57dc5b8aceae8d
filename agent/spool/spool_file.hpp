#pragma once

// The spool's file, in SQLite. Bounded by bytes and by samples: the oldest go first, and are
// counted.
//
// No trouble with the disk stops the agent. A full disk costs samples (counted); a damaged file is
// set aside as <path>.damaged and a new one begun, what is known to have been in it counts as
// dropped; while no file can be opened samples wait in memory, and go into the file once it can.
// Errors are logged when they begin and when they are over.

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
    // `vfs`: for crash tests; empty for the system's.
    SpoolFile(std::filesystem::path path, SpoolLimits limits, std::string vfs = {});
    ~SpoolFile() override;

    void append(const std::vector<EncodedSample>& samples) override;
    std::vector<EncodedSample> oldest(std::size_t samples_max, std::size_t bytes_max) override;
    void forget(const std::vector<std::int64_t>& slots) override { erase(slots); }
    void drop(const std::vector<std::int64_t>& slots) override { count_dropped(erase(slots)); }
    void count_dropped(std::uint64_t samples) override;
    SpoolTotals totals() const override { return totals_; }
    bool reserve_sequence(std::uint64_t last) override;
    std::uint64_t reserved_sequence() override { return reserved_sequence_; }
    std::string server_incarnation() override { return incarnation_; }
    void set_server_incarnation(const std::string& incarnation) override;

 private:
    class Store;
    enum class OnDamage { start_anew, give_up };
    enum class Durability { cached, synced };

    // After a power cut the samples of the last minute may be missing.
    static constexpr int kAppendsBetweenSyncs = 4;

    // From memory to the file, if that can be opened.
    void enter_file(OnDamage on_damage);
    void carry_over_to(Store& file);
    void lose_file(const std::string& reason);
    void set_aside(const std::string& reason);
    void enforce_limits();
    // How many of them there were.
    std::size_t erase(const std::vector<std::int64_t>& slots);
    // Runs `work` on the store; false if the disk failed. Afterwards there is a store in any case.
    template <class Work>
    bool attempt(std::string_view what, Work work);

    const std::filesystem::path path_;
    const SpoolLimits limits_;
    const std::string vfs_;
    std::unique_ptr<Store> store_;  // in memory until a file was entered
    SpoolTotals totals_;
    // What has to survive a damaged file is known without it.
    std::uint64_t reserved_sequence_ = 0;
    std::string incarnation_;
    int appends_since_sync_ = 0;
    std::string_view failing_;  // the operation whose failure was logged and is not over yet
};

}  // namespace synapsex::agent
