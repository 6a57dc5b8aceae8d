#pragma once

// Telemetry that the server has not confirmed yet, and the few facts that must survive a restart,
// in one SQLite file. Bounded by bytes and by samples: the oldest go first, and are counted.
//
// No trouble with the disk stops the agent. A full disk costs samples (counted); a damaged file is
// set aside as <path>.damaged and a new one begun; every other error is logged. Safe from any
// thread.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/messages.hpp"
#include "shared/sqlite/connection.hpp"

namespace synapsex::agent {

struct SpoolLimits {
    std::size_t bytes_max = 64 * 1024 * 1024;
    std::size_t samples_max = 200'000;  // a month of slots
};

class Spool {
 public:
    // Throws sqlite::Error if not even a new file can be made: a wrong directory should be noticed
    // at the start.
    Spool(std::filesystem::path path, SpoolLimits limits);
    ~Spool();

    // A slot is kept once; a second sample of it is ignored.
    void append(const EncodedSample& sample);
    // The oldest ones in order of their slots: at most samples_max, at most bytes_max together.
    std::vector<EncodedSample> oldest(std::size_t samples_max, std::size_t bytes_max);
    // Forgets the samples from `first` to `last`, both included; how many there were. Only what was
    // sent may be named: a clock that was set back makes new samples with slots below.
    std::size_t forget(std::int64_t first, std::int64_t last);
    Backlog backlog() const;

    // Since enrollment, over restarts.
    std::uint64_t dropped_samples() const;

    // One more than the last time, over restarts and power cuts: on disk before it is returned. A
    // spool without a memory continues from `floor`.
    std::uint64_t next_sequence(std::uint64_t floor);

    std::string server_incarnation();
    void set_server_incarnation(const std::string& incarnation);

 private:
    class Store;
    enum class OnDamage { start_anew, give_up };

    void open(OnDamage on_damage);
    void set_aside();
    void enforce_limits();
    void count_dropped(std::uint64_t samples);
    // Runs `work`, which uses store_; false if the disk failed. Afterwards the spool is usable.
    template <class Work>
    bool attempt(const char* what, Work work);

    const std::filesystem::path path_;
    const SpoolLimits limits_;
    mutable std::mutex mutex_;
    std::unique_ptr<Store> store_;
    Backlog backlog_;
    std::uint64_t dropped_ = 0;
    std::uint64_t sequence_ = 0;
};

}  // namespace synapsex::agent
