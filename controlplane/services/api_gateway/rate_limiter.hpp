#pragma once

// How often somebody may ask: the generic cell rate algorithm (GCRA, ITU-T I.371). A quota of 600
// in 60 s is a bucket of 600 that fills by one each 100 ms; there is no window at whose edge twice
// as much would pass. All that is kept of a key is one instant: when its bucket is full again.

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "shared/base/time.hpp"

namespace synapsex::api_gateway {

struct Quota {
    std::int64_t requests = 1;  // at least 1
    std::chrono::seconds window{60};
};

// What a bucket holds after a request, or would not give to one.
struct Level {
    bool is_over = false;                  // the request took nothing
    std::int64_t remaining = 0;
    std::chrono::nanoseconds full_in{};
    std::chrono::nanoseconds next_in{};    // until there is one again; 0 while there is
};

// Any thread. A full bucket is not kept, so memory follows those who asked in the last window.
class RateLimiter {
 public:
    // With more keys than this at a time, one whose bucket is fuller than some others' gets a full
    // one.
    RateLimiter(const Clock& clock, std::size_t keys_max);

    // Takes one, unless there is none.
    Level take(std::string_view key, const Quota& quota);
    // Takes nothing.
    Level look(std::string_view key, const Quota& quota) const;
    // For who took one and was refused elsewhere, or who was told of what was taken elsewhere
    // (`count` below 0).
    void give_back(std::string_view key, const Quota& quota, std::int64_t count = 1);

    std::size_t size() const;

 private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    using FullAt = std::unordered_map<std::string, SteadyTime, Hash, std::equal_to<>>;
    struct Shard {
        mutable std::mutex mutex;
        FullAt full_at;
        SteadyTime swept_at{};  // of the buckets that are full
    };
    static constexpr std::size_t kShards = 16;

    Shard& shard_of(std::string_view key) { return shards_[Hash{}(key) % kShards]; }
    const Shard& shard_of(std::string_view key) const { return shards_[Hash{}(key) % kShards]; }
    static void make_room(Shard& shard, SteadyTime now);

    const Clock& clock_;
    const std::size_t shard_keys_max_;
    std::array<Shard, kShards> shards_;
};

}  // namespace synapsex::api_gateway
