#include "controlplane/platform/leases/work_items.hpp"

#include <algorithm>
#include <array>

namespace synapsex::leases {

namespace {

using db::Query;

constexpr Query kAdd{"work_items.add", R"sql(
    INSERT INTO platform_work_items (queue, item, due_at) VALUES ($1, $2, $3)
    ON CONFLICT (queue, item) DO NOTHING)sql"};

// Tokens are as those of leases: the time in microseconds, or one more than the last.
// A pair: on PostgreSQL claimers that come at once step over the rows that another is taking
// instead of waiting for each other. SQLite has one writer anyway.
constexpr Query kClaim{
    "work_items.claim",
    R"sql(
    UPDATE platform_work_items SET holder = $3, due_at = $4,
        token = CASE WHEN token >= $2 THEN token + 1 ELSE $2 END
    WHERE queue = $1 AND item IN (
        SELECT item FROM platform_work_items WHERE queue = $1 AND due_at <= $2
        ORDER BY due_at, item LIMIT $5)
    RETURNING item, token)sql",
    R"sql(
    WITH due AS MATERIALIZED (
        SELECT item FROM platform_work_items WHERE queue = $1 AND due_at <= $2
        ORDER BY due_at, item LIMIT $5 FOR UPDATE SKIP LOCKED)
    UPDATE platform_work_items SET holder = $3, due_at = $4,
        token = CASE WHEN token >= $2 THEN token + 1 ELSE $2 END
    FROM due WHERE queue = $1 AND platform_work_items.item = due.item
    RETURNING platform_work_items.item, token)sql"};

// A claim is held as long as its token is the item's, it has not ended, and was not put back.
constexpr Query kFinish{"work_items.finish", R"sql(
    DELETE FROM platform_work_items
    WHERE queue = $1 AND item = $2 AND token = $3 AND due_at > $4 AND holder <> '')sql"};

constexpr Query kPutBack{"work_items.put_back", R"sql(
    UPDATE platform_work_items SET due_at = $5, holder = ''
    WHERE queue = $1 AND item = $2 AND token = $3 AND due_at > $4 AND holder <> '')sql"};

constexpr Query kExtend{"work_items.extend", R"sql(
    UPDATE platform_work_items SET due_at = $5
    WHERE queue = $1 AND item = $2 AND token = $3 AND due_at > $4 AND holder <> '')sql"};

constexpr Query kCount{"work_items.count", R"sql(
    SELECT count(*) AS items FROM platform_work_items WHERE queue = $1)sql"};

constexpr std::array kQueries{&kAdd, &kClaim, &kFinish, &kPutBack, &kExtend, &kCount};

}  // namespace

std::span<const Query* const> WorkItems::queries() { return kQueries; }

bool WorkItems::add(
    std::string_view queue, std::string_view item, std::chrono::milliseconds delay
) {
    return session_.execute(kAdd, queue, item, session_.now() + delay) == 1;
}

std::vector<WorkItem> WorkItems::claim(
    std::string_view queue, std::string_view holder, std::chrono::milliseconds ttl,
    std::int64_t limit
) {
    const auto now = session_.now();
    return session_.list<WorkItem>(
        kClaim, queue, now, holder, now + ttl, std::clamp<std::int64_t>(limit, 0, kClaimMax)
    );
}

bool WorkItems::finish(std::string_view queue, const WorkItem& item) {
    return session_.execute(kFinish, queue, item.item, item.token, session_.now()) == 1;
}

bool WorkItems::put_back(
    std::string_view queue, const WorkItem& item, std::chrono::milliseconds delay
) {
    const auto now = session_.now();
    return session_.execute(kPutBack, queue, item.item, item.token, now, now + delay) == 1;
}

bool WorkItems::extend(
    std::string_view queue, const WorkItem& item, std::chrono::milliseconds ttl
) {
    const auto now = session_.now();
    return session_.execute(kExtend, queue, item.item, item.token, now, now + ttl) == 1;
}

std::int64_t WorkItems::count(std::string_view queue) {
    return session_.query(kCount, queue)[0].get<std::int64_t>("items");
}

}  // namespace synapsex::leases
