#include "controlplane/platform/outbox/outbox_store.hpp"

#include <array>

namespace synapsex::outbox {

namespace {

using db::Query;

constexpr Query kPost{"outbox.post", R"sql(
    INSERT INTO platform_outbox_posted (tenant_id, messages, size, lines)
    VALUES ($1, $2, length($3), $3))sql"};

constexpr Query kGetHead{"outbox.get_head", R"sql(
    SELECT sequence, hash FROM platform_outbox_head WHERE singleton = 1)sql"};

constexpr Query kSetHead{"outbox.set_head", R"sql(
    UPDATE platform_outbox_head SET sequence = $1, hash = $2 WHERE singleton = 1)sql"};

// Never "after the last id": a transaction may commit a smaller id later.
constexpr Query kListPosted{"outbox.list_posted", R"sql(
    SELECT posting_id AS through, messages, size FROM platform_outbox_posted
    ORDER BY posting_id LIMIT $1)sql"};

// Reads and removes in one statement: on PostgreSQL another may show what committed in between.
constexpr Query kTakePosted{"outbox.take_posted", R"sql(
    DELETE FROM platform_outbox_posted WHERE posting_id <= $1 RETURNING posting_id, lines)sql"};

constexpr Query kInsertNumbered{"outbox.insert_numbered", R"sql(
    INSERT INTO platform_outbox_numbered (tenant_id, through, kind, messages, size, lines)
    VALUES ('*', $1, $2, $3, length($4), $4))sql"};

constexpr Query kListAfter{"outbox.list_after", R"sql(
    SELECT through, SUM(messages) AS messages, SUM(size) AS size FROM platform_outbox_numbered
    WHERE through > $1 AND kind IN ($2, $3) GROUP BY through ORDER BY through LIMIT $4)sql"};

constexpr Query kReadAfter{"outbox.read_after", R"sql(
    SELECT lines FROM platform_outbox_numbered
    WHERE through > $1 AND kind IN ($2, $3) AND through <= $4 ORDER BY through)sql"};

constexpr Query kFindCursor{"outbox.find_cursor", R"sql(
    SELECT sequence FROM platform_outbox_cursors WHERE consumer = $1)sql"};

constexpr Query kSetCursor{"outbox.set_cursor", R"sql(
    INSERT INTO platform_outbox_cursors (consumer, sequence) VALUES ($1, $2)
    ON CONFLICT (consumer) DO UPDATE SET sequence = excluded.sequence)sql"};

// The first condition follows from the second: it is the one that an index is for.
constexpr Query kListRemovable{"outbox.list_removable", R"sql(
    SELECT through, SUM(messages) AS messages, SUM(size) AS size FROM platform_outbox_numbered
    WHERE through > $7 AND through <= $1 AND (
        (kind = 'change' AND through <= $2) OR (kind = 'event' AND through <= $3) OR
        (kind = 'audit' AND through <= $4) OR (kind = 'usage' AND through <= $5))
    GROUP BY through ORDER BY through LIMIT $6)sql"};

constexpr Query kRemove{"outbox.remove", R"sql(
    DELETE FROM platform_outbox_numbered
    WHERE through > $6 AND through <= $1 AND (
        (kind = 'change' AND through <= $2) OR (kind = 'event' AND through <= $3) OR
        (kind = 'audit' AND through <= $4) OR (kind = 'usage' AND through <= $5)))sql"};

constexpr Query kCount{"outbox.count", R"sql(
    SELECT COALESCE(SUM(messages), 0) AS messages FROM (
        SELECT messages FROM (SELECT messages FROM platform_outbox_posted LIMIT $1) AS posted
        UNION ALL
        SELECT messages FROM (SELECT messages FROM platform_outbox_numbered LIMIT $1) AS numbered
    ) AS counted)sql"};

constexpr Query kOldestPosted{"outbox.find_oldest_posted", R"sql(
    SELECT lines FROM platform_outbox_posted ORDER BY posting_id LIMIT 1)sql"};

constexpr Query kOldestAfter{"outbox.find_oldest_after", R"sql(
    SELECT lines FROM platform_outbox_numbered
    WHERE through > $1 AND kind IN ($2, $3) ORDER BY through LIMIT 1)sql"};

constexpr std::array kQueries{
    &kPost,      &kGetHead,   &kSetHead,    &kListPosted, &kTakePosted,    &kInsertNumbered,
    &kListAfter, &kReadAfter, &kFindCursor, &kSetCursor,  &kListRemovable, &kRemove,
    &kCount,     &kOldestPosted, &kOldestAfter,
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

std::optional<Timestamp> first_instant(const db::Rows& rows, auto parse) {
    if (rows.empty()) return std::nullopt;
    const auto lines = rows[0].get<std::string>("lines");
    return parse(std::string_view{lines}.substr(0, lines.find('\n'))).occurred_at;
}

}  // namespace

std::span<const Query* const> OutboxStore::queries() { return kQueries; }

void OutboxStore::post(const Message& message) {
    session_.append(kPost, message.tenant_id, posted_line(message));
}

Head OutboxStore::get_head() { return session_.find<Head>(kGetHead).value(); }

void OutboxStore::set_head(const Head& head) {
    session_.execute(kSetHead, head.sequence, head.hash);
}

std::vector<Bundle> OutboxStore::list_posted(std::int64_t limit) {
    return session_.list<Bundle>(kListPosted, limit);
}

std::vector<Posting> OutboxStore::take_posted(std::int64_t through) {
    auto postings = session_.list<Posting>(kTakePosted, through);
    std::ranges::sort(postings, {}, &Posting::posting_id);
    return postings;
}

void OutboxStore::insert_numbered(const Numbered& numbered) {
    session_.execute(
        kInsertNumbered, numbered.through, numbered.kind, numbered.messages, numbered.lines
    );
}

std::vector<Bundle> OutboxStore::list_after(
    Stream stream, std::int64_t sequence, std::int64_t limit
) {
    const auto kinds = kinds_of(stream);
    return session_.list<Bundle>(kListAfter, sequence, kinds.first, kinds.second, limit);
}

std::vector<NumberedMessage> OutboxStore::read_after(
    Stream stream, std::int64_t sequence, std::int64_t through
) {
    const auto kinds = kinds_of(stream);
    std::vector<NumberedMessage> messages;
    const auto rows = session_.query(kReadAfter, sequence, kinds.first, kinds.second, through);
    for (std::size_t i = 0; i < rows.size(); ++i)
        for_each_line(rows[i].get<std::string>("lines"), [&](std::string_view line) {
            messages.push_back(parse_numbered_line(line));
        });
    // The kinds of a step stand one after the other.
    std::ranges::sort(messages, {}, &NumberedMessage::sequence);
    return messages;
}

std::int64_t OutboxStore::find_cursor(std::string_view consumer) {
    const auto rows = session_.query(kFindCursor, consumer);
    return rows.empty() ? 0 : rows[0].get<std::int64_t>("sequence");
}

void OutboxStore::set_cursor(std::string_view consumer, std::int64_t sequence) {
    session_.execute(kSetCursor, consumer, sequence);
}

std::vector<Bundle> OutboxStore::list_removable(const Through& through, std::int64_t limit) {
    return session_.list<Bundle>(
        kListRemovable, through.last(), through.change, through.event, through.audit,
        through.usage, limit, through.after
    );
}

void OutboxStore::remove(const Through& through) {
    session_.execute(
        kRemove, through.last(), through.change, through.event, through.audit, through.usage,
        through.after
    );
}

std::int64_t OutboxStore::count(std::int64_t most) {
    return session_.query(kCount, most)[0].get<std::int64_t>("messages");
}

std::optional<Timestamp> OutboxStore::find_oldest_posted() {
    return first_instant(session_.query(kOldestPosted), parse_posted_line);
}

std::optional<Timestamp> OutboxStore::find_oldest_after(Stream stream, std::int64_t sequence) {
    const auto kinds = kinds_of(stream);
    return first_instant(
        session_.query(kOldestAfter, sequence, kinds.first, kinds.second), parse_numbered_line
    );
}

}  // namespace synapsex::outbox
