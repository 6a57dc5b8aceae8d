#pragma once

// What a consumer has had, in the database of its own tables: asked in the transaction in which it
// does what the message asks for.

#include <chrono>
#include <string_view>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/outbox/message.hpp"

namespace synapsex::outbox {

inline constexpr std::chrono::days kInboxKeptFor{7};

class Inbox {
 public:
    explicit Inbox(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // False for a message that the consumer has had: there is nothing to do.
    bool accept(std::string_view consumer, const MessageId& message);
    // Forgets the first `limit` of what came before; how many. A message comes again at most some
    // minutes later: until its relay's lease has ended.
    std::int64_t prune(Timestamp before, std::int64_t limit);

 private:
    db::Session& session_;
};

}  // namespace synapsex::outbox
