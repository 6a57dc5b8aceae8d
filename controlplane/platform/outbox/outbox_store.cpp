#include "controlplane/platform/outbox/outbox_store.hpp"

#include <array>

#include "controlplane/platform/api/json_object_text.hpp"

namespace synapsex::outbox {

namespace {

using db::Query;

constexpr Query kInsert{"outbox.insert", R"sql(
    INSERT INTO platform_outbox
        (message_id, tenant_id, kind, type, subject, subject_version, occurred_at, actor,
         on_behalf_of, request_id, decision_id, argument_digest, client_address, schema_version,
         data)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15))sql"};

constexpr Query kGetHead{"outbox.get_head", R"sql(
    SELECT sequence, hash FROM platform_outbox_head WHERE singleton = 1)sql"};

constexpr Query kSetHead{"outbox.set_head", R"sql(
    UPDATE platform_outbox_head SET sequence = $1, hash = $2 WHERE singleton = 1)sql"};

// Never "after the last id": a transaction may commit a smaller id later.
constexpr Query kListUnnumbered{"outbox.list_unnumbered", R"sql(
    SELECT message_id, tenant_id, kind, type, subject, subject_version, occurred_at, actor,
           on_behalf_of, request_id, decision_id, argument_digest, client_address, schema_version,
           data
    FROM platform_outbox WHERE sequence IS NULL ORDER BY message_id LIMIT $1)sql"};

// A pair: the engines have different functions to read a JSON list as rows.
constexpr Query kSetNumbers{
    "outbox.set_numbers",
    R"sql(
    UPDATE platform_outbox SET sequence = given.sequence, prev_hash = given.prev_hash
    FROM (SELECT json_extract(value, '$.id') AS message_id,
                 json_extract(value, '$.sequence') AS sequence,
                 json_extract(value, '$.prevHash') AS prev_hash
          FROM json_each($1)) AS given
    WHERE platform_outbox.message_id = given.message_id
        AND platform_outbox.sequence IS NULL)sql",
    R"sql(
    UPDATE platform_outbox SET sequence = given.sequence, prev_hash = given."prevHash"
    FROM json_to_recordset(CAST($1 AS json))
        AS given (id text, sequence bigint, "prevHash" text)
    WHERE platform_outbox.message_id = given.id AND platform_outbox.sequence IS NULL)sql"};

constexpr Query kListAfter{"outbox.list_after", R"sql(
    SELECT message_id, tenant_id, kind, type, subject, subject_version, occurred_at, actor,
           on_behalf_of, request_id, decision_id, argument_digest, client_address, schema_version,
           data, sequence, prev_hash
    FROM platform_outbox WHERE sequence > $1 AND kind IN ($2, $3) ORDER BY sequence LIMIT $4)sql"};

constexpr Query kFindCursor{"outbox.find_cursor", R"sql(
    SELECT sequence FROM platform_outbox_cursors WHERE consumer = $1)sql"};

constexpr Query kSetCursor{"outbox.set_cursor", R"sql(
    INSERT INTO platform_outbox_cursors (consumer, sequence) VALUES ($1, $2)
    ON CONFLICT (consumer) DO UPDATE SET sequence = excluded.sequence)sql"};

// The first condition follows from the second: it is the one that an index is for.
constexpr Query kRemoveThrough{"outbox.remove_through", R"sql(
    DELETE FROM platform_outbox WHERE message_id IN (
        SELECT message_id FROM platform_outbox
        WHERE sequence <= $1 AND (
            (kind = 'change' AND sequence <= $2) OR (kind = 'event' AND sequence <= $3) OR
            (kind = 'audit' AND sequence <= $4) OR (kind = 'usage' AND sequence <= $5))
        ORDER BY sequence LIMIT $6))sql"};

constexpr Query kCount{"outbox.count", R"sql(
    SELECT count(*) AS messages
    FROM (SELECT message_id FROM platform_outbox LIMIT $1) AS counted)sql"};

constexpr Query kOldestUnnumbered{"outbox.find_oldest_unnumbered", R"sql(
    SELECT occurred_at FROM platform_outbox
    WHERE sequence IS NULL ORDER BY message_id LIMIT 1)sql"};

constexpr Query kOldestAfter{"outbox.find_oldest_after", R"sql(
    SELECT occurred_at FROM platform_outbox
    WHERE sequence > $1 AND kind IN ($2, $3) ORDER BY sequence LIMIT 1)sql"};

constexpr std::array kQueries{
    &kInsert,    &kGetHead,    &kSetHead,   &kListUnnumbered, &kSetNumbers,
    &kListAfter, &kFindCursor, &kSetCursor, &kRemoveThrough,  &kCount,
    &kOldestUnnumbered, &kOldestAfter,
};

struct Kinds {
    MessageKind first;
    MessageKind second;
};
Kinds kinds_of(Stream stream) {
    if (stream == Stream::usage) return {MessageKind::usage, MessageKind::usage};
    if (stream == Stream::audit) return {MessageKind::change, MessageKind::audit};
    return {MessageKind::change, MessageKind::event};
}

std::optional<Timestamp> first_instant(const db::Rows& rows) {
    if (rows.empty()) return std::nullopt;
    return rows[0].get<Timestamp>("occurred_at");
}

}  // namespace

std::span<const Query* const> OutboxStore::queries() { return kQueries; }

void OutboxStore::insert(const Message& message) {
    session_.execute(
        kInsert, message.message_id, message.tenant_id, message.kind, message.type,
        message.subject, message.subject_version, message.occurred_at, message.actor,
        message.on_behalf_of, message.request_id, message.decision_id, message.argument_digest,
        message.client_address, message.schema_version, message.data
    );
}

Head OutboxStore::get_head() { return session_.find<Head>(kGetHead).value(); }

void OutboxStore::set_head(const Head& head) {
    session_.execute(kSetHead, head.sequence, head.hash);
}

std::vector<Message> OutboxStore::list_unnumbered(std::int64_t limit) {
    return session_.list<Message>(kListUnnumbered, limit);
}

std::int64_t OutboxStore::set_numbers(std::span<const NumberedMessage> messages) {
    std::string list;
    for (const auto& message : messages) {
        if (!list.empty()) list += ',';
        list += api::JsonObjectText{}
                    .add_text("id", message.message_id.text())
                    .add("sequence", std::to_string(message.sequence))
                    .add_text("prevHash", message.prev_hash)
                    .finish();
    }
    return session_.execute(kSetNumbers, "[" + list + "]");
}

std::vector<NumberedMessage> OutboxStore::list_after(
    Stream stream, std::int64_t sequence, std::int64_t limit
) {
    const auto kinds = kinds_of(stream);
    return session_.list<NumberedMessage>(
        kListAfter, sequence, kinds.first, kinds.second, limit
    );
}

std::int64_t OutboxStore::find_cursor(std::string_view consumer) {
    const auto rows = session_.query(kFindCursor, consumer);
    return rows.empty() ? 0 : rows[0].get<std::int64_t>("sequence");
}

void OutboxStore::set_cursor(std::string_view consumer, std::int64_t sequence) {
    session_.execute(kSetCursor, consumer, sequence);
}

std::int64_t OutboxStore::remove_through(const Through& through, std::int64_t limit) {
    return session_.execute(
        kRemoveThrough, through.last(), through.change, through.event, through.audit,
        through.usage, limit
    );
}

std::int64_t OutboxStore::count(std::int64_t most) {
    return session_.query(kCount, most)[0].get<std::int64_t>("messages");
}

std::optional<Timestamp> OutboxStore::find_oldest_unnumbered() {
    return first_instant(session_.query(kOldestUnnumbered));
}

std::optional<Timestamp> OutboxStore::find_oldest_after(Stream stream, std::int64_t sequence) {
    const auto kinds = kinds_of(stream);
    return first_instant(session_.query(kOldestAfter, sequence, kinds.first, kinds.second));
}

}  // namespace synapsex::outbox
