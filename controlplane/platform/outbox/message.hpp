#pragma once

// What an outbox holds: what happened, to what, by whom. A message is written in the transaction of
// the change that it tells of, so neither is there without the other.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

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
    std::string prev_hash;  // the hash of the message before; empty for the first
    std::string hash;       // SHA-256 over its line, hex: shows whether one was changed or left out
};
BOOST_DESCRIBE_STRUCT(NumberedMessage, (Message), (sequence, prev_hash, hash))

// As the outbox keeps it until it has a number: "change {"messageId":"evt_…",…}". What is empty or
// 0 is left out. Throws DatabaseError for text that is no UTF-8 or has a zero byte.
std::string posted_line(const Message& message);
// Members that it does not know are a newer release's. Throws DatabaseError for what posted_line
// does not write.
Message parse_posted_line(std::string_view line);

// Then: "17 <hash of the message before> {"messageId":"evt_…",…}".
std::string numbered_line(
    std::int64_t sequence, std::string_view prev_hash, std::string_view json
);
NumberedMessage parse_numbered_line(std::string_view line);

// The text up to the next space, which is taken away with it.
std::string_view take_word(std::string_view& line);

// fn(line) for each of several, without its end.
template <class Fn>
void for_each_line(std::string_view lines, Fn&& fn) {
    while (!lines.empty()) {
        const auto line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        fn(line);
    }
}

}  // namespace synapsex::outbox
