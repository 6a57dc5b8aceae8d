#include "agent/core/messages.hpp"

namespace synapsex::agent {

std::int64_t slot_of(Timestamp instant) {
    return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch() / kSlotLength;
}

Timestamp start_of_slot(std::int64_t slot) { return Timestamp{slot * kSlotLength}; }

}  // namespace synapsex::agent
