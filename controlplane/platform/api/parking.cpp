#include "controlplane/platform/api/parking.hpp"

#include <vector>

namespace synapsex::api {

struct Ticket::State {
    std::mutex mutex;
    std::optional<Wake> reason;
    std::function<void(Wake)> callback;

    void wake(Wake why) {
        std::function<void(Wake)> call;
        {
            const std::lock_guard lock{mutex};
            if (reason) return;
            reason = why;
            call = std::move(callback);
        }
        if (call) call(why);
    }
};

Ticket::Ticket(ParkingLot* lot, std::string key, std::shared_ptr<State> state)
    : lot_(lot), key_(std::move(key)), state_(std::move(state)) {}

Ticket::~Ticket() {
    const std::lock_guard lock{lot_->mutex_};
    const auto found = lot_->waiting_.find(key_);
    // A newer ticket may hold the key by now.
    if (found != lot_->waiting_.end() && found->second.lock() == state_)
        lot_->waiting_.erase(found);
}

void Ticket::on_wake(std::function<void(Wake)> callback) {
    std::optional<Wake> already;
    {
        const std::lock_guard lock{state_->mutex};
        already = state_->reason;
        if (!already) state_->callback = std::move(callback);
    }
    if (already) callback(*already);
}

void Ticket::wake(Wake reason) { state_->wake(reason); }

std::optional<Wake> Ticket::reason() const {
    const std::lock_guard lock{state_->mutex};
    return state_->reason;
}

std::unique_ptr<Ticket> ParkingLot::park(const std::string& key) {
    auto state = std::make_shared<Ticket::State>();
    std::shared_ptr<Ticket::State> previous;
    {
        const std::lock_guard lock{mutex_};
        auto& slot = waiting_[key];
        previous = slot.lock();
        slot = state;
    }
    if (previous) previous->wake(Wake::superseded);
    return std::unique_ptr<Ticket>{new Ticket{this, key, std::move(state)}};
}

bool ParkingLot::wake(const std::string& key, Wake reason) {
    std::shared_ptr<Ticket::State> state;
    {
        const std::lock_guard lock{mutex_};
        const auto found = waiting_.find(key);
        if (found != waiting_.end()) state = found->second.lock();
    }
    if (!state) return false;
    state->wake(reason);
    return true;
}

void ParkingLot::wake_all(Wake reason) {
    std::vector<std::shared_ptr<Ticket::State>> states;
    {
        const std::lock_guard lock{mutex_};
        states.reserve(waiting_.size());
        for (const auto& [key, waiting] : waiting_)
            if (auto state = waiting.lock()) states.push_back(std::move(state));
    }
    for (const auto& state : states) state->wake(reason);
}

bool ParkingLot::contains(const std::string& key) const {
    const std::lock_guard lock{mutex_};
    return waiting_.contains(key);
}

std::unordered_set<std::string> ParkingLot::keys() const {
    const std::lock_guard lock{mutex_};
    std::unordered_set<std::string> keys;
    keys.reserve(waiting_.size());
    for (const auto& [key, waiting] : waiting_) keys.insert(key);
    return keys;
}

std::size_t ParkingLot::size() const {
    const std::lock_guard lock{mutex_};
    return waiting_.size();
}

}  // namespace synapsex::api
