#pragma once

// Which contexts were used already, until they end by themselves. In memory: bounded in number, and
// what is forgotten at a restart was for the process before, whose contexts the new one refuses by
// the time at which it began.

#include <array>
#include <cstddef>
#include <mutex>
#include <string_view>
#include <unordered_set>

#include "shared/base/time.hpp"

namespace synapsex::context {

class SeenContexts {
 public:
    enum class Answer {
        first_time,
        again,
        full,  // not noted; nothing can be said about it
    };

    // Each is remembered for `lifetime` at least and twice that at most. Two sets of `count_max`:
    // this lifetime's and the one before.
    SeenContexts(std::chrono::seconds lifetime, std::size_t count_max)
        : lifetime_(lifetime), count_max_(count_max) {}

    // Any thread. `jti` is 16 random bytes; another size is told by its beginning.
    Answer note(std::string_view jti, SteadyTime now);

 private:
    using Key = std::array<char, 16>;
    struct Hash {
        std::size_t operator()(const Key& key) const;
    };
    using Set = std::unordered_set<Key, Hash>;

    void turn(SteadyTime now);

    const std::chrono::seconds lifetime_;
    const std::size_t count_max_;
    std::mutex mutex_{};
    Set current_{};
    Set former_{};
    SteadyTime turned_at_{};
};

}  // namespace synapsex::context
