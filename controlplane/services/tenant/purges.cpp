#include "controlplane/services/tenant/purges.hpp"

#include <algorithm>

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/tenant/store.hpp"
#include "shared/base/log.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::tenant {

namespace {

constexpr db::SystemScope kListDue{"tenant.list_due_purges"};
constexpr std::int64_t kDueMax = 20;

// By the database's clock and by this process's: one of them that runs ahead ends no grace.
Timestamp earliest_now(db::Session& session, const Clock& clock) {
    return std::min(session.now(), clock.now());
}

bool are_empty(const std::vector<TableCount>& tables) {
    return std::ranges::all_of(tables, [](const TableCount& table) { return table.rows == 0; });
}

// The text over which the digest goes.
std::string certificate_of(
    const PurgeRow& purge, const std::vector<TableCount>& tables, Timestamp finished_at
) {
    api::JsonObjectText rows;
    for (const auto& table : tables) rows.add(table.table, std::to_string(table.rows));
    return api::JsonObjectText{}
        .add_text("tenantId", purge.tenant_id.text())
        .add_text("slug", purge.slug)
        .add_text("requestedBy", purge.requested_by)
        .add_text("requestedAt", format_rfc3339(purge.requested_at))
        .add_text("startedAt", format_rfc3339(purge.started_at))
        .add_text("finishedAt", format_rfc3339(finished_at))
        .add("rows", rows.finish())
        .finish();
}

}  // namespace

Result<Done> Purges::run(const Call& call) {
    SYNAPSEX_TRY(
        const auto due,
        database_.read(kListDue, call, [&](db::Session& session) -> Result<std::vector<TenantId>> {
            const auto until = earliest_now(session, clock_);
            return TenantStore{session}.list_due_purges(until, kDueMax);
        })
    );
    Result<Done> outcome = Done{};
    for (const auto& tenant : due)
        if (auto purged = purge(call, tenant); !purged && outcome) outcome = purged.error();
    return outcome;
}

Result<Done> Purges::purge(const Call& call, const TenantId& tenant) {
    const auto in_tenant = call.of_tenant(tenant);
    SYNAPSEX_TRY(const bool is_begun, begin(in_tenant));
    if (!is_begun) return Done{};
    for (auto* service : services_) SYNAPSEX_CHECK(empty(in_tenant, *service));
    SYNAPSEX_CHECK(finish(in_tenant));
    standings_.repeat_changed(tenant.text());
    log_info("tenant purged", {{"tenantId", tenant.text()}});
    return Done{};
}

// False: an owner took it back, or it is gone. Who takes it back waits for the same lock.
Result<bool> Purges::begin(const Call& in_tenant) {
    const auto& tenant = in_tenant.tenant;
    const auto now = clock_.now();
    return database_.write(in_tenant, [&](db::Session& session) -> Result<bool> {
        TenantStore store{session};
        store.lock(tenant);
        const auto row = store.find_administered(tenant.text());
        const bool is_due = row && row->state == TenantState::pending_deletion &&
                            row->delete_after &&
                            *row->delete_after <= earliest_now(session, clock_);
        if (!is_due) return false;
        store.begin_purge({tenant, row->slug, row->state_by, row->state_since.value_or(now), now});
        return true;
    });
}

Result<Done> Purges::empty(const Call& in_tenant, TenantPurge& service) {
    const auto& tenant = in_tenant.tenant;
    SYNAPSEX_TRY(const auto before, service.count_rows(in_tenant, tenant));
    SYNAPSEX_CHECK(database_.write(in_tenant, [&](db::Session& session) -> Result<Done> {
        for (const auto& table : before) TenantStore{session}.put_purge_count(tenant, table);
        return Done{};
    }));
    SYNAPSEX_CHECK(service.remove_rows(in_tenant, tenant));
    SYNAPSEX_TRY(const auto after, service.count_rows(in_tenant, tenant));
    if (are_empty(after)) return Done{};
    return Problem{
        Kind::unavailable, "tenants.purge_unfinished",
        "Rows of the tenant came in while it was purged. The next run removes them."
    };
}

Result<Done> Purges::finish(const Call& in_tenant) {
    const auto& tenant = in_tenant.tenant;
    const auto now = clock_.now();
    const auto news = outbox::MessageId::make(now, random_);
    return database_.write(in_tenant, [&](db::Session& session) -> Result<Done> {
        TenantStore store{session};
        store.lock(tenant);
        const auto purge = store.find_purge(tenant);
        if (!purge || purge->finished_at) return Done{};  // another process was quicker
        for (const auto& table : store.count_rows(tenant)) store.put_purge_count(tenant, table);
        store.remove(tenant);
        const auto certificate =
            certificate_of(*purge, store.list_purge_counts(tenant), now);
        const auto digest = crypto::sha256_hex(certificate);
        store.finish_purge(tenant, now, certificate, digest);
        outbox::add(
            session, in_tenant,
            {news, now, "tenant.purged", tenant.text(),
             api::JsonObjectText{}.add_text("sha256", digest).finish()}
        );
        wakeups::tell(session, kStandingChanged, tenant.text());
        return Done{};
    });
}

}  // namespace synapsex::tenant
