#pragma once

// platform_outbox, where releases before 0002_create_posted left their messages: one a row, with an
// index for each of its states. Such a release may run beside this one, or may have run before it.
// Goes with the contract that drops the table.

#include <string>
#include <vector>

#include "controlplane/platform/db/database.hpp"

namespace synapsex::outbox {

class EarlierOutbox {
 public:
    explicit EarlierOutbox(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    bool is_empty();
    // Removes the first `limit` messages, in their order, and gives them back as they would have
    // been posted (message.hpp). No number that they had has been shown to anybody: those releases
    // had no consumers.
    std::vector<std::string> take(std::int64_t limit);

 private:
    db::Session& session_;
};

}  // namespace synapsex::outbox
