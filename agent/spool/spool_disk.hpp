#pragma once

// What the spool keeps its samples in: a file in the real agent (spool_file.hpp), something slow in
// the tests. Used by one thread, the spool's own, and every call may take as long as a disk may.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/messages.hpp"

namespace synapsex::agent {

// What is known of the disk without asking it.
struct SpoolTotals {
    Backlog backlog{};
    std::uint64_t dropped_samples = 0;  // since enrollment, over restarts
    bool is_in_memory = false;          // no file can be used: a restart forgets what waits
};

class SpoolDisk {
 public:
    virtual ~SpoolDisk() = default;

    // A slot is kept once; a second sample of it is ignored.
    virtual void append(const std::vector<EncodedSample>& samples) = 0;
    // The oldest ones in order of their slots: at most samples_max, at most bytes_max together.
    virtual std::vector<EncodedSample> oldest(std::size_t samples_max, std::size_t bytes_max) = 0;
    // These slots and no others: a clock that was set back makes new samples between old ones.
    virtual void forget(const std::vector<std::int64_t>& slots) = 0;
    // The same, and they are counted: the server never had them.
    virtual void drop(const std::vector<std::int64_t>& slots) = 0;
    virtual void count_dropped(std::uint64_t samples) = 0;
    virtual SpoolTotals totals() const = 0;

    // The numbers of heartbeats up to here may have been used. On the disk itself when it returns;
    // false if the disk did not take it.
    virtual bool reserve_sequence(std::uint64_t last) = 0;
    virtual std::uint64_t reserved_sequence() = 0;  // 0: none yet
    virtual std::string server_incarnation() = 0;
    virtual void set_server_incarnation(const std::string& incarnation) = 0;
};

}  // namespace synapsex::agent
