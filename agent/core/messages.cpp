#include "agent/core/messages.hpp"

namespace synapsex::agent {

std::int64_t slot_of(Timestamp instant) {
    return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch() / kSlotLength;
}

Timestamp start_of_slot(std::int64_t slot) { return Timestamp{slot * kSlotLength}; }

std::vector<std::string> pins_of(
    const Identity& identity, const std::optional<std::string>& setting
) {
    if (!setting) return identity.authority_pins;
    if (setting->empty()) return {};
    if (*setting == identity.authority_pin_setting) return identity.authority_pins;
    return {*setting};
}

}  // namespace synapsex::agent
