#pragma once

// Telemetry that the server has not confirmed yet, and the few facts that must survive a restart.
//
// Nothing here waits for the disk: a thread of its own does what the disk is needed for. While the
// disk does not answer, samples wait in memory (kWaitingMax of them, the further ones are dropped
// and counted), heartbeats go without telemetry, and numbers of heartbeats come from a block that
// was reserved before. Safe from any thread; what is about sending is used by one of them.

#include <mutex>

#include "agent/spool/spool_disk.hpp"
#include "agent/threads/side_thread.hpp"

namespace synapsex::agent {

class Spool {
 public:
    // An hour of slots, some 40 KiB.
    static constexpr std::size_t kWaitingMax = 240;
    // Heartbeats between two writes of their number; more than are sent in half a day. They are
    // reserved for a clock that is set back: a restart goes on behind them.
    static constexpr std::uint64_t kSequenceBlock = 1000;
    static constexpr std::chrono::milliseconds kPatience{500};

    // A number for each microsecond since 1970: more than any agent can have used by then.
    static std::uint64_t first_sequence(Timestamp now);

    // Reads what the disk knows, and waits for it. Heartbeats are numbered from `first_sequence`,
    // or from behind the numbers that are reserved on the disk. `disk` outlives the spool.
    Spool(
        SpoolDisk& disk, std::uint64_t first_sequence,
        std::chrono::milliseconds patience = kPatience
    );

    void append(EncodedSample sample);
    // Also those that are not on the disk yet.
    Backlog backlog() const;
    // Since enrollment, over restarts.
    std::uint64_t dropped_samples() const;
    // The disk cannot be used: a restart forgets what waits.
    bool is_in_memory() const;

    // The oldest ones in order of their slots: at most samples_max, at most bytes_max together;
    // none if the disk does not answer within the patience.
    std::vector<EncodedSample> oldest(std::size_t samples_max, std::size_t bytes_max);
    void forget(std::vector<std::int64_t> slots);
    // They can never be sent; counted as dropped.
    void drop(std::vector<std::int64_t> slots);

    // More than any before it, over restarts and power cuts.
    std::uint64_t next_sequence();
    const std::string& server_incarnation() const { return incarnation_; }
    void set_server_incarnation(const std::string& incarnation);

 private:
    void write_waiting();
    void reserve_sequence(std::uint64_t last);
    void note_totals();

    SpoolDisk& disk_;
    const std::chrono::milliseconds patience_;
    std::string incarnation_;
    std::uint64_t sequence_ = 0;
    std::uint64_t reserved_ = 0;    // asked for
    std::uint64_t unreserved_ = 0;  // asked for, and not taken by the disk; of the spool's thread

    mutable std::mutex mutex_;
    std::vector<EncodedSample> waiting_;
    Backlog in_memory_;           // waiting_, and what is being written
    SpoolTotals on_disk_;
    std::uint64_t overflowed_ = 0;  // dropped, and not yet counted on the disk

    Question<std::vector<EncodedSample>> reading_;
    SideThread thread_;  // last: it ends before what it uses
};

}  // namespace synapsex::agent
