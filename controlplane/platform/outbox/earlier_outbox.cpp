#include "controlplane/platform/outbox/earlier_outbox.hpp"

#include <array>

#include "controlplane/platform/outbox/outbox_store.hpp"

namespace synapsex::outbox {

namespace {

using db::Query;

constexpr Query kFindAny{"earlier_outbox.find_any", R"sql(
    SELECT message_id FROM platform_outbox LIMIT 1)sql"};

constexpr Query kList{"earlier_outbox.list", R"sql(
    SELECT message_id, tenant_id, kind, type, subject, subject_version, occurred_at, actor,
           on_behalf_of, request_id, decision_id, argument_digest, client_address, schema_version,
           data
    FROM platform_outbox ORDER BY sequence NULLS LAST, message_id LIMIT $1)sql"};

constexpr Query kRemove{"earlier_outbox.remove", R"sql(
    DELETE FROM platform_outbox WHERE message_id = $1)sql"};

constexpr std::array kQueries{&kFindAny, &kList, &kRemove};

}  // namespace

std::span<const Query* const> EarlierOutbox::queries() { return kQueries; }

bool EarlierOutbox::is_empty() { return session_.query(kFindAny).empty(); }

std::int64_t EarlierOutbox::move(std::int64_t limit) {
    OutboxStore store{session_};
    std::int64_t moved = 0;
    for (const auto& message : session_.list<Message>(kList, limit)) {
        // Not by two at once, and not what a relay of that release removed meanwhile.
        if (session_.execute(kRemove, message.message_id) == 0) continue;
        store.post(message);
        ++moved;
    }
    return moved;
}

}  // namespace synapsex::outbox
