#include "agent/core/key_choice.hpp"

#include <initializer_list>

namespace synapsex::agent {

namespace {
unsigned bit_of(KeySlot slot) { return 1U << static_cast<unsigned>(slot); }
}  // namespace

void KeyChoice::set_available(bool has_next, bool has_former) {
    has_next_ = has_next;
    has_former_ = has_former;
    slot_ = KeySlot::current;
    tried_ = 0;
}

bool KeyChoice::is_available(KeySlot slot) const {
    if (slot == KeySlot::next) return has_next_;
    return slot == KeySlot::current || has_former_;
}

bool KeyChoice::on_refused() {
    tried_ |= bit_of(slot_);
    for (const auto slot : {KeySlot::current, KeySlot::next, KeySlot::former})
        if (is_available(slot) && (tried_ & bit_of(slot)) == 0) {
            slot_ = slot;
            return true;
        }
    slot_ = KeySlot::current;
    tried_ = 0;
    return false;
}

}  // namespace synapsex::agent
