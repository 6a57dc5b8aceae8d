#include "controlplane/platform/context/seen_contexts.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace synapsex::context {

// They are random, so a part of one is as good as a hash of it.
std::size_t SeenContexts::Hash::operator()(const Key& key) const {
    std::size_t hash = 0;
    std::memcpy(&hash, key.data(), sizeof hash);
    return hash;
}

void SeenContexts::turn(SteadyTime now) {
    if (now - turned_at_ < lifetime_) return;
    former_ = now - turned_at_ < 2 * lifetime_ ? std::exchange(current_, {}) : Set{};
    current_.clear();
    turned_at_ = now;
}

SeenContexts::Answer SeenContexts::note(std::string_view jti, SteadyTime now) {
    Key key{};
    std::copy_n(jti.begin(), std::min(jti.size(), key.size()), key.begin());
    const std::lock_guard lock{mutex_};
    turn(now);
    if (former_.contains(key) || current_.contains(key)) return Answer::again;
    if (current_.size() >= count_max_) return Answer::full;
    current_.insert(key);
    return Answer::first_time;
}

}  // namespace synapsex::context
