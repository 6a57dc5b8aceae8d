#pragma once

// What an outbox holds: what happened, to what, by whom. A message is written in the transaction of
// the change that it tells of, so neither is there without the other.

#include <cstdint>
#include <string>

#include "shared/base/describe.hpp"
#include "shared/base/ids.hpp"

namespace synapsex::outbox {

struct MessageTag { static constexpr std::string_view kPrefix = "evt_"; };
using MessageId = Id<MessageTag>;

enum class MessageKind {
    change,  // an event, and an audit record of it
    event,   // what nobody has to answer for: a VM went offline
    audit,   // what is nobody's event: a refused sign-in
    usage,   // what is billed
};
BOOST_DESCRIBE_ENUM(MessageKind, change, event, audit, usage)

// What a consumer takes: changes are events and audit records alike.
enum class Stream { events, audit, usage };

// Names as in CloudEvents 1.0 where it has one (type, subject, data).
struct Message {
    MessageId message_id;
    std::string tenant_id;            // empty: of the installation
    MessageKind kind = MessageKind::change;
    std::string type;                 // "tenant.updated": <noun>.<what happened>
    std::string subject;              // the id of what it happened to
    std::int64_t subject_version = 0; // 0 where it has none
    Timestamp occurred_at{};
    // JSON, who asked first: [{"type":"user","id":"usr_…"},{"type":"api_key","id":"key_…"}]
    std::string actor;
    std::string on_behalf_of;         // empty: of the actor
    std::string request_id;
    std::string decision_id;          // of the policy decision; empty without one
    std::string argument_digest;      // Call::argument_digest; empty if no request asked for it
    std::string client_address;
    std::int64_t schema_version = 1;  // of data
    std::string data;                 // JSON object: the subject afterwards, as /v1 shows it
};
BOOST_DESCRIBE_STRUCT(
    Message, (),
    (message_id, tenant_id, kind, type, subject, subject_version, occurred_at, actor, on_behalf_of,
     request_id, decision_id, argument_digest, client_address, schema_version, data)
)

// A message with its place in the one order of its database: 1, 2, 3 without a gap.
struct NumberedMessage : Message {
    std::int64_t sequence = 0;
    std::string prev_hash;  // hash_of the message before; empty for the first
};
BOOST_DESCRIBE_STRUCT(NumberedMessage, (Message), (sequence, prev_hash))

// SHA-256 over all members, hex. A chain of them shows whether one was changed or left out.
std::string hash_of(const NumberedMessage& message);

}  // namespace synapsex::outbox
