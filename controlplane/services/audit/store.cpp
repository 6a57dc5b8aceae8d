#include "controlplane/services/audit/store.hpp"

#include <array>

namespace synapsex::audit {

namespace {

using db::Query;

constexpr Query kFindHead{"audit.find_head", R"sql(
    SELECT sequence FROM audit_heads WHERE tenant_id = $1)sql"};

constexpr Query kSetHead{"audit.set_head", R"sql(
    INSERT INTO audit_heads (tenant_id, sequence) VALUES ($1, $2)
    ON CONFLICT (tenant_id) DO UPDATE SET sequence = excluded.sequence)sql"};

constexpr Query kInsertEntry{"audit.insert_entry", R"sql(
    INSERT INTO audit_entries
        (tenant_id, sequence, entry_id, occurred_at, recorded_at, action, subject, actor,
         on_behalf_of, request_id, decision_id, client_address, argument_digest, data, hash,
         prev_hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    ON CONFLICT (tenant_id, entry_id) DO NOTHING)sql"};

constexpr Query kFindEntry{"audit.find_entry", R"sql(
    SELECT entry_id, sequence, occurred_at, recorded_at, action, subject, actor, on_behalf_of,
           request_id, decision_id, client_address, argument_digest, data, hash, prev_hash
    FROM audit_entries WHERE tenant_id = $1 AND entry_id = $2)sql"};

// Numbers ascend as entries come, and times about so: in between there may be others.
constexpr Query kFindRange{"audit.find_range", R"sql(
    SELECT COALESCE(MIN(sequence), 1) - 1 AS after, COALESCE(MAX(sequence), 0) AS through
    FROM audit_entries WHERE tenant_id = $1 AND occurred_at >= $2 AND occurred_at < $3)sql"};

// replace() because the engines call what looks for a text in a text by different names.
constexpr Query kListNewest{"audit.list_newest", R"sql(
    SELECT entry_id, sequence, occurred_at, recorded_at, action, subject, actor, on_behalf_of,
           request_id, decision_id, client_address, argument_digest, data, hash, prev_hash
    FROM audit_entries
    WHERE tenant_id = $1 AND sequence > $2 AND sequence <= $3
        AND occurred_at >= $4 AND occurred_at < $5
        AND ($6 = '' OR action = $6)
        AND ($7 = '' OR substr(action, 1, length($7)) = $7)
        AND ($8 = '' OR subject = $8)
        AND ($9 = '' OR request_id = $9)
        AND ($10 = '' OR client_address = $10)
        AND ($11 = '' OR replace(actor, $11, '') <> actor)
    ORDER BY sequence DESC LIMIT $12)sql"};

constexpr Query kListOldest{"audit.list_oldest", R"sql(
    SELECT entry_id, sequence, occurred_at, recorded_at, action, subject, actor, on_behalf_of,
           request_id, decision_id, client_address, argument_digest, data, hash, prev_hash
    FROM audit_entries
    WHERE tenant_id = $1 AND sequence > $2 AND sequence <= $3
        AND occurred_at >= $4 AND occurred_at < $5
    ORDER BY sequence LIMIT $6)sql"};

constexpr std::array kQueries{
    &kFindHead,  &kSetHead,    &kInsertEntry, &kFindEntry,
    &kFindRange, &kListNewest, &kListOldest,
};

}  // namespace

bool TimeRange::is_everything() const {
    return from == TimeRange{}.from && before == TimeRange{}.before;
}

std::span<const Query* const> AuditStore::queries() { return kQueries; }

std::int64_t AuditStore::find_head(std::string_view tenant) {
    const auto rows = session_.query(kFindHead, tenant);
    return rows.empty() ? 0 : rows[0].get<std::int64_t>("sequence");
}

void AuditStore::set_head(std::string_view tenant, std::int64_t sequence) {
    session_.execute(kSetHead, tenant, sequence);
}

bool AuditStore::insert(std::string_view tenant, const EntryRow& entry) {
    return session_.execute(
               kInsertEntry, tenant, entry.sequence, entry.entry_id, entry.occurred_at,
               entry.recorded_at, entry.action, entry.subject, entry.actor, entry.on_behalf_of,
               entry.request_id, entry.decision_id, entry.client_address, entry.argument_digest,
               entry.data, entry.hash, entry.prev_hash
           ) == 1;
}

std::optional<EntryRow> AuditStore::find(const TenantId& tenant, const EntryId& entry) {
    return session_.find<EntryRow>(kFindEntry, tenant, entry);
}

SequenceRange AuditStore::find_range(const TenantId& tenant, const TimeRange& time) {
    return session_.find<SequenceRange>(kFindRange, tenant, time.from, time.before).value();
}

std::vector<EntryRow> AuditStore::list_newest(
    const TenantId& tenant, const SequenceRange& range, const EntryFilter& filter,
    std::int64_t limit
) {
    return session_.list<EntryRow>(
        kListNewest, tenant, range.after, range.through, filter.time.from, filter.time.before,
        filter.action, filter.action_prefix, filter.subject, filter.request_id,
        filter.client_address, filter.actor, limit
    );
}

std::vector<EntryRow> AuditStore::list_oldest(
    const TenantId& tenant, const SequenceRange& range, const TimeRange& time, std::int64_t limit
) {
    return session_.list<EntryRow>(
        kListOldest, tenant, range.after, range.through, time.from, time.before, limit
    );
}

}  // namespace synapsex::audit
