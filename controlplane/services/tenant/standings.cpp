#include "controlplane/services/tenant/standings.hpp"

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/tenant/problems.hpp"
#include "controlplane/services/tenant/slug.hpp"
#include "controlplane/services/tenant/store.hpp"
#include "shared/base/utf8.hpp"

namespace synapsex::tenant {

namespace {

// Which tenants there are.
constexpr db::SystemScope kAdminister{"tenant.administer"};
constexpr std::size_t kReasonMax = 200;

Result<Done> check_reason(const std::string& reason) {
    const auto size = count_code_points(reason);
    if (!size || *size > kReasonMax || !is_name(reason)) return reason_invalid(kReasonMax);
    return Done{};
}

AdministeredTenant view(const AdministeredRow& row, std::vector<LimitOverride> overrides) {
    return {row.tenant_id,    row.slug,         row.name,       row.plan,
            row.plan_version, row.state,        row.state_reason, row.state_by,
            row.state_since,  row.delete_after, row.members,    row.created_at,
            std::move(overrides)};
}

// As it is in this transaction.
Result<AdministeredTenant> read_administered(TenantStore& store, const TenantId& tenant) {
    const auto row = store.find_administered(tenant.text());
    if (!row) return no_such_tenant(tenant.text());
    return view(*row, store.list_overrides(tenant));
}

PlanLimits limits_of_plan(const Plan& plan) {
    return {plan.limit(LimitName::members),         plan.limit(LimitName::vms),
            plan.limit(LimitName::keys),            plan.limit(LimitName::requests_per_minute),
            plan.limit(LimitName::calls_per_month), plan.limit(LimitName::tokens_per_day)};
}

Result<TenantPlan> read_plan(TenantStore& store, const TenantId& tenant, Timestamp now) {
    const auto standing = store.find_standing(tenant);
    if (!standing) return not_found();
    const auto overrides = store.list_overrides(tenant);
    const auto limits = limits_of(standing->plan, standing->plan_version, overrides, now);
    TenantPlan plan{tenant, standing->plan, standing->plan_version, standing->state, {}, {}, {}};
    if (standing->state == TenantState::suspended) plan.reason = standing->state_reason;
    if (standing->state == TenantState::pending_deletion)
        plan.delete_after = standing->delete_after;
    for (std::size_t i = 0; i < kLimitNames; ++i) {
        const auto name = static_cast<LimitName>(i);
        EffectiveLimit limit{name, limits.value(name), LimitSource::plan, {}, {}, {}};
        for (const auto& override : overrides) {
            if (override.name != name || !counts(override, now)) continue;
            limit.source = LimitSource::override_;
            limit.reason = override.reason;
            limit.expires_at = override.expires_at;
        }
        if (name == LimitName::members) limit.used = store.count_members(tenant);
        plan.limits.push_back(std::move(limit));
    }
    return plan;
}

// Who is said to have made a change: the local operator, or a user.
std::string author_of(const Call& call) {
    const auto& principal = *call.principal;
    return principal.user.empty() ? principal.credential_id : principal.user.text();
}

std::string_view event_of(TenantState from, TenantState next) {
    if (next == TenantState::suspended) return "tenant.suspended";
    if (next == TenantState::pending_deletion) return "tenant.deletion_requested";
    return from == TenantState::suspended ? "tenant.resumed" : "tenant.restored";
}

std::string news_of(TenantState from, const StateChange& change) {
    api::JsonObjectText text;
    text.add_text("from", enum_name(from)).add_text("reason", change.reason);
    if (change.delete_after)
        text.add_text("deleteAfter", format_rfc3339(*change.delete_after));
    return text.finish();
}

std::string news_of(const LimitOverride& override) {
    api::JsonObjectText text;
    text.add_text("name", enum_name(override.name));
    text.add("value", override.value ? std::to_string(*override.value) : "null");
    text.add_text("reason", override.reason);
    if (override.expires_at) text.add_text("expiresAt", format_rfc3339(*override.expires_at));
    return text.finish();
}

void tell_processes(db::Session& session, const TenantId& tenant) {
    wakeups::tell(session, kStandingChanged, tenant.text());
}

}  // namespace

PlanList Standings::list_plans() const {
    PlanList list;
    for (const auto& plan : kPlans)
        if (&plan == &newest_plan(plan.name))
            list.items.push_back({plan.name, plan.version, limits_of_plan(plan)});
    return list;
}

Result<TenantPlan> Standings::get_plan(const Call& call, const TenantId& tenant) {
    if (tenant != call.tenant) return not_found();
    const auto now = clock_.now();
    return database_.read(call, [&](db::Session& session) -> Result<TenantPlan> {
        TenantStore store{session};
        return read_plan(store, tenant, now);
    });
}

Result<TenantPlan> Standings::request_deletion(const Call& call, const DeleteTenant& wish) {
    return change_own_state(
        call, wish.tenant_id, TenantState::pending_deletion, wish.confirm.value
    );
}

Result<TenantPlan> Standings::restore(const Call& call, const TenantId& tenant) {
    return change_own_state(call, tenant, TenantState::active, std::nullopt);
}

Result<TenantPlan> Standings::change_own_state(
    const Call& call, const TenantId& tenant, TenantState next,
    std::optional<std::string_view> confirmed
) {
    if (tenant != call.tenant) return not_found();
    const auto now = clock_.now();
    const auto news = outbox::MessageId::make(now, random_);
    StateChange change{next, {}, author_of(call), now, {}};
    if (next == TenantState::pending_deletion) change.delete_after = now + kDeletionGrace;
    const auto changed = database_.write(call, [&](db::Session& session) -> Result<TenantPlan> {
        TenantStore store{session};
        store.lock(tenant);
        const auto row = store.find_membership(call.principal->user, tenant.text());
        if (!row) return not_found();
        if (row->role != auth::Role::owner) return deletion_needs_owner();
        if (row->state == TenantState::suspended)
            SYNAPSEX_CHECK(check_active(standing_of(*row, now)));
        if (confirmed && *confirmed != row->slug) return confirmation_wrong(row->slug);
        if (store.find_purge(tenant)) return purge_started();
        if (row->state != next) {
            store.set_state(tenant, change);
            outbox::add(
                session, call,
                {news, now, event_of(row->state, next), tenant.text(),
                 news_of(row->state, change)}
            );
            tell_processes(session, tenant);
        }
        return read_plan(store, tenant, now);
    });
    if (changed) tell_changed(tenant);
    return changed;
}

Result<Standing> Standings::get_standing(const Call& call, const TenantId& tenant) {
    const auto now = clock_.now();
    return database_.read(call.of_tenant(tenant), [&](db::Session& session) -> Result<Standing> {
        const auto row = TenantStore{session}.find_standing(tenant);
        if (!row) return not_found();
        return standing_of(*row, now);
    });
}

Result<TenantLimits> Standings::get_limits(const Call& call, const TenantId& tenant) {
    const auto now = clock_.now();
    return database_.read(
        call.of_tenant(tenant), [&](db::Session& session) -> Result<TenantLimits> {
            TenantStore store{session};
            const auto row = store.find_standing(tenant);
            if (!row) return not_found();
            return limits_of(row->plan, row->plan_version, store.list_overrides(tenant), now);
        }
    );
}

void Standings::on_changed(std::function<void(const TenantId&)> callback) {
    on_changed_.push_back(std::move(callback));
}

void Standings::repeat_changed(std::string_view text) const {
    if (const auto tenant = TenantId::parse(text)) tell_changed(*tenant);
}

void Standings::tell_changed(const TenantId& tenant) const {
    for (const auto& callback : on_changed_) callback(tenant);
}

Result<std::vector<AdministeredTenant>> Standings::list(
    const Call& call, std::string_view after, std::int64_t limit
) {
    return database_.read(
        kAdminister, call, [&](db::Session& session) -> Result<std::vector<AdministeredTenant>> {
            std::vector<AdministeredTenant> tenants;
            for (const auto& row : TenantStore{session}.list_administered(after, limit))
                tenants.push_back(view(row, {}));
            return tenants;
        }
    );
}

Result<AdministeredTenant> Standings::find(const Call& call, std::string_view id_or_slug) {
    if (!is_slug(id_or_slug) && !TenantId::parse(id_or_slug))
        return no_such_tenant(std::string{id_or_slug});
    return database_.read(
        kAdminister, call, [&](db::Session& session) -> Result<AdministeredTenant> {
            TenantStore store{session};
            const auto row = store.find_administered(id_or_slug);
            if (!row) return no_such_tenant(std::string{id_or_slug});
            return view(*row, store.list_overrides(row->tenant_id));
        }
    );
}

Result<std::vector<PurgeCertificate>> Standings::list_certificates(
    const Call& call, std::string_view after, std::int64_t limit
) {
    return database_.read(
        kAdminister, call, [&](db::Session& session) -> Result<std::vector<PurgeCertificate>> {
            std::vector<PurgeCertificate> certificates;
            for (auto& row : TenantStore{session}.list_purges(after, limit))
                certificates.push_back(
                    {row.tenant_id, row.slug, row.finished_at.value_or(Timestamp{}),
                     std::move(row.certificate), std::move(row.sha256)}
                );
            return certificates;
        }
    );
}

// `change` does it, in the tenant's own transaction, and says what to tell; nothing: no change.
struct Standings::News {
    std::string_view type;
    std::string data;
};
template <class Fn>
Result<AdministeredTenant> Standings::administer(
    const Call& call, const TenantId& tenant, Fn change
) {
    const auto now = clock_.now();
    const auto id = outbox::MessageId::make(now, random_);
    const auto in_tenant = call.of_tenant(tenant);
    const auto changed = database_.write(
        in_tenant, [&](db::Session& session) -> Result<AdministeredTenant> {
            TenantStore store{session};
            store.lock(tenant);
            SYNAPSEX_TRY(const auto before, read_administered(store, tenant));
            if (store.find_purge(tenant)) return purge_started();
            const std::optional<News> news = change(store, before, now);
            if (!news) return before;
            outbox::add(session, in_tenant, {id, now, news->type, tenant.text(), news->data});
            tell_processes(session, tenant);
            return read_administered(store, tenant);
        }
    );
    if (changed) tell_changed(tenant);
    return changed;
}

Result<AdministeredTenant> Standings::set_plan(
    const Call& call, const TenantId& tenant, const PlanWish& wish
) {
    SYNAPSEX_CHECK(check_reason(wish.reason));
    const auto newest = newest_plan(wish.name).version;
    const auto* plan = find_plan(wish.name, wish.version.value_or(newest));
    if (plan == nullptr) return plan_unknown(std::string{enum_name(wish.name)}, newest);
    return administer(
        call, tenant,
        [&](TenantStore& store, const AdministeredTenant& before, Timestamp)
            -> std::optional<News> {
            if (before.plan == plan->name && before.plan_version == plan->version)
                return std::nullopt;
            store.set_plan(tenant, *plan);
            return News{
                "tenant.plan_changed", api::JsonObjectText{}
                                           .add_text("plan", enum_name(plan->name))
                                           .add("version", std::to_string(plan->version))
                                           .add_text("from", enum_name(before.plan))
                                           .add("fromVersion", std::to_string(before.plan_version))
                                           .add_text("reason", wish.reason)
                                           .finish()
            };
        }
    );
}

Result<AdministeredTenant> Standings::set_limit(
    const Call& call, const TenantId& tenant, const LimitWish& wish
) {
    SYNAPSEX_CHECK(check_reason(wish.reason));
    constexpr std::int64_t kValueMax = 1'000'000'000'000;
    // Without a request a minute nobody could read why; that is what a suspension is for.
    const std::int64_t lowest = wish.name == LimitName::requests_per_minute ? 1 : 0;
    if (wish.value && (*wish.value < lowest || *wish.value > kValueMax))
        return limit_invalid(
            "The limit has to be from " + std::to_string(lowest) + " to " +
            std::to_string(kValueMax) + ", or unlimited."
        );
    const auto now = clock_.now();
    if (wish.expires_at && *wish.expires_at <= now)
        return limit_invalid("The limit would have expired already; it is " + format_rfc3339(now));
    const LimitOverride override{wish.name,       wish.value, wish.reason,
                                 author_of(call), now,        wish.expires_at};
    return administer(
        call, tenant,
        [&](TenantStore& store, const AdministeredTenant&, Timestamp) -> std::optional<News> {
            store.put_override(tenant, override);
            return News{"tenant.limit_set", news_of(override)};
        }
    );
}

Result<AdministeredTenant> Standings::clear_limit(
    const Call& call, const TenantId& tenant, LimitName name, const std::string& reason
) {
    SYNAPSEX_CHECK(check_reason(reason));
    return administer(
        call, tenant,
        [&](TenantStore& store, const AdministeredTenant&, Timestamp) -> std::optional<News> {
            if (!store.remove_override(tenant, name)) return std::nullopt;
            return News{
                "tenant.limit_cleared", api::JsonObjectText{}
                                            .add_text("name", enum_name(name))
                                            .add_text("reason", reason)
                                            .finish()
            };
        }
    );
}

Result<AdministeredTenant> Standings::suspend(
    const Call& call, const TenantId& tenant, const std::string& reason
) {
    return change_state(call, tenant, TenantState::suspended, reason);
}

Result<AdministeredTenant> Standings::resume(
    const Call& call, const TenantId& tenant, const std::string& reason
) {
    return change_state(call, tenant, TenantState::active, reason);
}

Result<AdministeredTenant> Standings::change_state(
    const Call& call, const TenantId& tenant, TenantState next, const std::string& reason
) {
    SYNAPSEX_CHECK(check_reason(reason));
    const auto author = author_of(call);
    return administer(
        call, tenant,
        [&](TenantStore& store, const AdministeredTenant& before, Timestamp now)
            -> std::optional<News> {
            const bool is_said = next == TenantState::active || before.state_reason == reason;
            if (before.state == next && is_said) return std::nullopt;
            const StateChange change{next, reason, author, now, {}};
            store.set_state(tenant, change);
            return News{event_of(before.state, next), news_of(before.state, change)};
        }
    );
}

}  // namespace synapsex::tenant
