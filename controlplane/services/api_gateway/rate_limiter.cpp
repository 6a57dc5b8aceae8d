#include "controlplane/services/api_gateway/rate_limiter.hpp"

#include <algorithm>
#include <iterator>

namespace synapsex::api_gateway {

namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds kSweepInterval{1};
constexpr std::ptrdiff_t kLookedAt = 8;

nanoseconds interval_of(const Quota& quota) {
    return nanoseconds{quota.window} / quota.requests;
}

Level level_of(SteadyTime full_at, SteadyTime now, const Quota& quota) {
    const auto interval = interval_of(quota);
    const auto missing = std::max(full_at - now, SteadyTime::duration::zero());
    const auto room = interval * quota.requests - missing;
    Level level;
    level.remaining = std::max<std::int64_t>(0, room / interval);
    level.full_in = missing;
    if (level.remaining == 0) level.next_in = interval - room;
    return level;
}

}  // namespace

RateLimiter::RateLimiter(const Clock& clock, std::size_t keys_max)
    : clock_(clock), shard_keys_max_(std::max<std::size_t>(1, keys_max / kShards)) {}

Level RateLimiter::take(std::string_view key, const Quota& quota) {
    const auto now = clock_.steady_now();
    auto& shard = shard_of(key);
    const std::lock_guard lock{shard.mutex};
    auto found = shard.full_at.find(key);
    auto full_at = found == shard.full_at.end() ? now : std::max(found->second, now);
    auto level = level_of(full_at, now, quota);
    level.is_over = level.remaining == 0;
    if (level.is_over) return level;
    full_at += interval_of(quota);
    if (found == shard.full_at.end()) {
        if (shard.full_at.size() >= shard_keys_max_) make_room(shard, now);
        shard.full_at.emplace(key, full_at);
    } else {
        found->second = full_at;
    }
    return level_of(full_at, now, quota);
}

Level RateLimiter::look(std::string_view key, const Quota& quota) const {
    const auto now = clock_.steady_now();
    const auto& shard = shard_of(key);
    const std::lock_guard lock{shard.mutex};
    const auto found = shard.full_at.find(key);
    auto level = level_of(found == shard.full_at.end() ? now : found->second, now, quota);
    level.is_over = level.remaining == 0;
    return level;
}

void RateLimiter::give_back(std::string_view key, const Quota& quota, std::int64_t count) {
    auto& shard = shard_of(key);
    const std::lock_guard lock{shard.mutex};
    const auto found = shard.full_at.find(key);
    if (found != shard.full_at.end()) found->second -= interval_of(quota) * count;
}

// A full bucket is as good as none. Where a flood of new keys leaves none of those, looking at all
// for each of them would be what it is after: one of a few is given up, the newest of the shard.
void RateLimiter::make_room(Shard& shard, SteadyTime now) {
    auto& full_at = shard.full_at;
    if (now - shard.swept_at >= kSweepInterval) {
        shard.swept_at = now;
        if (std::erase_if(full_at, [&](const auto& entry) { return entry.second <= now; }) > 0)
            return;
    }
    const auto looked_at = std::min(kLookedAt, std::ssize(full_at));
    const auto fuller = [](const auto& a, const auto& b) { return a.second < b.second; };
    const auto end = std::next(full_at.begin(), looked_at);
    full_at.erase(std::min_element(full_at.begin(), end, fuller));
}

std::size_t RateLimiter::size() const {
    std::size_t count = 0;
    for (const auto& shard : shards_) {
        const std::lock_guard lock{shard.mutex};
        count += shard.full_at.size();
    }
    return count;
}

}  // namespace synapsex::api_gateway
