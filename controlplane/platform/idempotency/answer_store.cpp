#include "controlplane/platform/idempotency/answer_store.hpp"

#include <array>

namespace synapsex::idempotency {

namespace {

using db::Query;

constexpr Query kFind{"idempotency.find", R"sql(
    SELECT request_hash, status, answer FROM platform_stored_answers
    WHERE tenant_id = $1 AND principal = $2 AND operation = $3 AND key_hash = $4
        AND expires_at > $5)sql"};

// No look before it: two that come at once are told apart by the primary key.
constexpr Query kInsert{"idempotency.insert", R"sql(
    INSERT INTO platform_stored_answers
        (tenant_id, principal, operation, key_hash, request_hash, status, answer, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (tenant_id, principal, operation, key_hash) DO UPDATE SET
        request_hash = excluded.request_hash, status = excluded.status,
        answer = excluded.answer, expires_at = excluded.expires_at
    WHERE platform_stored_answers.expires_at <= $9
    RETURNING key_hash)sql"};

constexpr Query kPrune{"idempotency.prune", R"sql(
    DELETE FROM platform_stored_answers
    WHERE (tenant_id, principal, operation, key_hash) IN (
        SELECT tenant_id, principal, operation, key_hash FROM platform_stored_answers
        WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2))sql"};

constexpr std::array kQueries{&kFind, &kInsert, &kPrune};

}  // namespace

std::span<const Query* const> AnswerStore::queries() { return kQueries; }

std::optional<AnswerRow> AnswerStore::find(const AnswerPlace& place) {
    return session_.find<AnswerRow>(
        kFind, place.tenant_id, place.principal, place.operation, place.key_hash, session_.now()
    );
}

bool AnswerStore::insert(
    const AnswerPlace& place, const AnswerRow& row, std::chrono::seconds kept_for
) {
    const auto now = session_.now();
    const auto rows = session_.query(
        kInsert, place.tenant_id, place.principal, place.operation, place.key_hash,
        row.request_hash, row.status, row.answer, now + kept_for, now
    );
    return !rows.empty();
}

std::int64_t AnswerStore::prune(std::int64_t limit) {
    return session_.execute(kPrune, session_.now(), limit);
}

}  // namespace synapsex::idempotency
