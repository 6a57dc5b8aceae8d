#include "controlplane/platform/outbox/inbox.hpp"

#include <array>

namespace synapsex::outbox {

namespace {

using db::Query;

constexpr Query kAccept{"inbox.accept", R"sql(
    INSERT INTO platform_inbox (consumer, message_id, seen_at) VALUES ($1, $2, $3)
    ON CONFLICT (consumer, message_id) DO NOTHING)sql"};

constexpr Query kPrune{"inbox.prune", R"sql(
    DELETE FROM platform_inbox WHERE (consumer, message_id) IN (
        SELECT consumer, message_id FROM platform_inbox
        WHERE seen_at < $1 ORDER BY seen_at LIMIT $2))sql"};

constexpr std::array kQueries{&kAccept, &kPrune};

}  // namespace

std::span<const Query* const> Inbox::queries() { return kQueries; }

bool Inbox::accept(std::string_view consumer, const MessageId& message) {
    return session_.execute(kAccept, consumer, message, session_.now()) == 1;
}

std::int64_t Inbox::prune(Timestamp before, std::int64_t limit) {
    return session_.execute(kPrune, before, limit);
}

}  // namespace synapsex::outbox
