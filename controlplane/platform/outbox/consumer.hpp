#pragma once

// Who takes messages out of an outbox: the event bus, the audit log, billing. Each is told of a
// message at least once, and in the order of its database.

#include <span>
#include <string_view>

#include "controlplane/platform/auth/call.hpp"
#include "controlplane/platform/outbox/message.hpp"
#include "shared/base/result.hpp"

namespace synapsex::outbox {

class Consumer {
 public:
    virtual ~Consumer() = default;
    // Stands in cursors and metrics, so it never changes.
    virtual std::string_view name() const = 0;
    virtual Stream stream() const = 0;
    // Has committed all of them when it returns Done. A message that it has had already (by
    // message_id, see inbox.hpp) changes nothing: the relay may have died before it noted the first
    // time, or woken up long after another took over. A Problem or exception: all come again.
    virtual Result<Done> consume(const Call& call, std::span<const NumberedMessage> messages) = 0;
};

}  // namespace synapsex::outbox
