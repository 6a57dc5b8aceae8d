#pragma once

// Which of its keys the agent signs with. Usually there is one. While it is replaced there are two,
// and where an answer was lost, a process killed or the control plane put back to an older state,
// only the control plane knows which of them counts: the others are tried, one after another.

namespace synapsex::agent {

enum class KeySlot {
    current,
    next,    // made, perhaps registered, and not used as far as is known here
    former,  // replaced; a control plane that came back from a backup may know it alone
};

class KeyChoice {
 public:
    void set_available(bool has_next, bool has_former);
    bool has_next() const { return has_next_; }

    KeySlot slot() const { return slot_; }
    // The next key is registered: from now on it signs.
    void use_next() { slot_ = KeySlot::next; }

    // The control plane does not take the key. True: there is another, not tried since one was
    // taken. False: all were; they are tried anew from the first.
    bool on_refused();
    void on_taken() { tried_ = 0; }

 private:
    bool is_available(KeySlot slot) const;

    KeySlot slot_ = KeySlot::current;
    bool has_next_ = false;
    bool has_former_ = false;
    unsigned tried_ = 0;  // a bit for each slot
};

}  // namespace synapsex::agent
