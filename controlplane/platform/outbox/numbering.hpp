#pragma once

// One step of the relay: messages as they were committed become numbered ones, each bound to the
// one before. What is in a message is not looked at.

#include <array>
#include <string>
#include <string_view>

#include "controlplane/platform/outbox/outbox_store.hpp"

namespace synapsex::outbox {

class Numbering {
 public:
    explicit Numbering(Head head) : first_(head.sequence), head_(std::move(head)) {}

    // The lines of a posting. Throws DatabaseError for one without a kind.
    void add(std::string_view lines);

    std::int64_t count() const { return head_.sequence - first_; }
    const Head& head() const { return head_; }
    // One for each kind that there was something of.
    std::vector<Numbered> finish();

 private:
    void add_line(std::string_view line);

    const std::int64_t first_;
    Head head_;
    std::array<Numbered, 4> of_kinds_{};
};

}  // namespace synapsex::outbox
