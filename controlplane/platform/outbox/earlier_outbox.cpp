#include "controlplane/platform/outbox/earlier_outbox.hpp"

#include <array>

#include "controlplane/platform/outbox/message.hpp"

namespace synapsex::outbox {

namespace {

using db::Query;

constexpr Query kFindAny{"earlier_outbox.find_any", R"sql(
    SELECT message_id FROM platform_outbox LIMIT 1)sql"};

// Two, each with an index: what has a number came first.
constexpr Query kListNumbered{"earlier_outbox.list_numbered", R"sql(
    SELECT message_id, tenant_id, kind, type, subject, subject_version, occurred_at, actor,
           on_behalf_of, request_id, decision_id, argument_digest, client_address, schema_version,
           data
    FROM platform_outbox WHERE sequence IS NOT NULL ORDER BY sequence LIMIT $1)sql"};

constexpr Query kListUnnumbered{"earlier_outbox.list_unnumbered", R"sql(
    SELECT message_id, tenant_id, kind, type, subject, subject_version, occurred_at, actor,
           on_behalf_of, request_id, decision_id, argument_digest, client_address, schema_version,
           data
    FROM platform_outbox WHERE sequence IS NULL ORDER BY message_id LIMIT $1)sql"};

constexpr Query kRemove{"earlier_outbox.remove", R"sql(
    DELETE FROM platform_outbox WHERE message_id = $1)sql"};

constexpr std::array kQueries{&kFindAny, &kListNumbered, &kListUnnumbered, &kRemove};

}  // namespace

std::span<const Query* const> EarlierOutbox::queries() { return kQueries; }

bool EarlierOutbox::is_empty() { return session_.query(kFindAny).empty(); }

std::vector<std::string> EarlierOutbox::take(std::int64_t limit) {
    std::vector<std::string> lines;
    for (const auto* list : {&kListNumbered, &kListUnnumbered}) {
        const auto left = limit - static_cast<std::int64_t>(lines.size());
        if (left <= 0) break;
        for (const auto& message : session_.list<Message>(*list, left)) {
            // Not what a relay of that release removed meanwhile.
            if (session_.execute(kRemove, message.message_id) == 0) continue;
            lines.push_back(posted_line(message));
        }
    }
    return lines;
}

}  // namespace synapsex::outbox
