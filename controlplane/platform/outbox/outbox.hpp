#pragma once

// Where a write leaves what it has to tell:
//
//   const auto id = outbox::MessageId::make(now, random_);
//   return database_.write(call, [&](db::Session& session) -> Result<Tenant> {
//       …
//       outbox::add(session, call, {id, now, "tenant.updated", tenant.id.text(), json});
//       return tenant;
//   });

#include <string>
#include <string_view>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/outbox/message.hpp"

namespace synapsex::outbox {

// The part of a message that the service says; the rest is in the call.
struct News {
    MessageId id;  // made outside the write, as its time
    Timestamp occurred_at;
    std::string_view type;
    std::string subject;
    std::string data = "{}";
    MessageKind kind = MessageKind::change;
};

// On a disk that is critically full what is an event and nothing else is left out; a change is an
// audit record, too, and stays.
void add(db::Session& session, const Call& call, const News& news);

}  // namespace synapsex::outbox
