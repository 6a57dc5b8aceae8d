#include "controlplane/services/tenant/service.hpp"

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/tenant/problems.hpp"
#include "controlplane/services/tenant/slug.hpp"
#include "controlplane/services/tenant/store.hpp"

namespace synapsex::tenant {

namespace {

using auth::Role;

// A slug is taken by whoever has it, and a user belongs to at most so many tenants.
constexpr db::SystemScope kTakeSlug{"tenant.create"};
constexpr db::SystemScope kCountMemberships{"tenant.add_member"};
// Which tenants there are.
constexpr db::SystemScope kRecover{"tenant.recover"};
// The tenants of one user.
constexpr db::SystemScope kMemberships{"tenant.memberships"};

Tenant view(const MembershipRow& row) {
    return {row.tenant_id, row.slug,  row.name,       row.role,
            row.plan,      row.state, row.created_at, row.updated_at};
}

Membership membership(const MembershipRow& row, Timestamp now) {
    return {row.tenant_id, row.slug,      row.name,
            row.role,      row.joined_at, standing_of(row, now)};
}

Result<Done> check_acts_in(const Call& call, const TenantId& tenant) {
    if (tenant != call.tenant) return not_found();
    return Done{};
}

std::string news_of(const TenantRow& tenant) {
    return api::JsonObjectText{}
        .add_text("id", tenant.tenant_id.text())
        .add_text("slug", tenant.slug)
        .add_text("name", tenant.name)
        .finish();
}

std::string news_of(const Member& member) {
    return api::JsonObjectText{}
        .add_text("userId", member.user_id.text())
        .add_text("role", enum_name(member.role))
        .finish();
}

// They have remembered who the user is, too.
void tell_replicas(db::Session& session, const TenantId& tenant, const UserId& user) {
    wakeups::tell(session, kMemberChanged, tenant.text() + ' ' + user.text());
}

// Takes the first of the slugs that is free. The row then has it.
Result<Done> insert_with_owner(
    TenantStore& store, TenantRow& row, const Plan& plan, const std::vector<std::string>& slugs,
    const UserId& owner
) {
    if (store.count_memberships(owner) >= kMembershipsMax) {
        return limit_reached(
            "A user belongs to at most " + std::to_string(kMembershipsMax) + " tenants."
        );
    }
    for (const auto& slug : slugs) {
        row.slug = slug;
        if (!store.insert(row, plan)) continue;
        store.insert_member(row.tenant_id, {owner, Role::owner, row.created_at});
        return Done{};
    }
    return slug_taken(slugs.front());
}

// The role of who calls, as it is now: what the gateway saw may be some seconds old.
Result<Role> acting_role(TenantStore& store, const Call& call) {
    const auto member = store.find_member(call.tenant, call.principal->user);
    if (!member) return not_found();
    if (!auth::scopes_of(member->role).contains("members.write")) return role_required();
    return member->role;
}

// What a change of `member` asks for; `next` is nullopt for a removal.
Result<Done> check_change(
    TenantStore& store, const Call& call, const Member& member, std::optional<Role> next
) {
    SYNAPSEX_TRY(const auto acting, acting_role(store, call));
    const bool is_about_owner = member.role == Role::owner || next == Role::owner;
    if (is_about_owner && acting != Role::owner) return owner_required();
    const bool ends_owner = member.role == Role::owner && next != Role::owner;
    if (ends_owner && store.count_owners(call.tenant) <= 1) return last_owner();
    return Done{};
}

// By its plan. Not for a recovery: whoever runs the server decides on that, too.
Result<Done> check_plan(TenantStore& store, const TenantId& tenant, Timestamp now) {
    const auto standing = store.find_standing(tenant);
    if (!standing) return not_found();
    const auto limits = limits_of(
        standing->plan, standing->plan_version, store.list_overrides(tenant), now
    );
    const auto members = store.count_members(tenant);
    if (limits.have_room(LimitName::members, members)) return Done{};
    return limits.reached(
        "tenants.member_limit_reached", LimitName::members, members,
        "Remove a member who is no longer needed."
    );
}

Result<Done> check_room(TenantStore& store, const TenantId& tenant, const UserId& user) {
    if (store.count_members(tenant) >= kMembersMax)
        return limit_reached(
            "A tenant has at most " + std::to_string(kMembersMax) + " members."
        );
    if (store.count_memberships(user) >= kMembershipsMax)
        return limit_reached("The user belongs to as many tenants as is allowed.");
    return Done{};
}

}  // namespace

Result<Done> TenantService::create_tenant(
    const Call& call,
    const TenantId& tenant,
    std::string_view slug,
    std::string_view name,
    const UserId& owner
) {
    const auto now = clock_.now();
    const auto news = outbox::MessageId::make(now, random_);
    const auto slugs =
        slug.empty() ? slugs_for(name, tenant) : std::vector<std::string>{std::string{slug}};
    if (!is_slug(slugs.front())) return slug_invalid();
    return database_.write(kTakeSlug, call, [&](db::Session& session) -> Result<Done> {
        TenantStore store{session};
        if (store.exists(tenant)) return Done{};
        TenantRow row{tenant, {}, std::string{name}, now, now};
        SYNAPSEX_CHECK(insert_with_owner(store, row, newest_plan(default_plan_), slugs, owner));
        outbox::add(
            session, call.of_tenant(tenant),
            {news, now, "tenant.created", tenant.text(), news_of(row)}
        );
        return Done{};
    });
}

Result<Done> TenantService::abandon_tenant(
    const Call& call, const TenantId& tenant, const UserId& owner
) {
    const auto in_tenant = call.of_tenant(tenant);
    return database_.write(in_tenant, [&](db::Session& session) -> Result<Done> {
        TenantStore store{session};
        store.lock(tenant);
        if (store.find_member(tenant, owner) && store.count_members(tenant) == 1)
            store.remove(tenant);
        return Done{};
    });
}

Result<Done> TenantService::abandon_memberships(const Call& call, const UserId& user) {
    SYNAPSEX_TRY(const auto places, list_memberships(call, user));
    const auto now = clock_.now();
    for (const auto& place : places) {
        const auto& tenant = place.tenant_id;
        const auto in_tenant = call.of_tenant(tenant);
        const auto news = outbox::MessageId::make(now, random_);
        const auto leave = [&](db::Session& session) -> Result<Done> {
            TenantStore store{session};
            store.lock(tenant);
            const auto member = store.find_member(tenant, user);
            if (!member) return Done{};
            store.remove_member(tenant, user);
            outbox::add(
                session, in_tenant, {news, now, "member.removed", user.text(), news_of(*member)}
            );
            tell_replicas(session, tenant, user);
            return Done{};
        };
        SYNAPSEX_CHECK(database_.write(in_tenant, leave));
        tell_member_changed(tenant, user);
    }
    return Done{};
}

Result<std::vector<Membership>> TenantService::list_memberships(
    const Call& call, const UserId& user
) {
    const auto now = clock_.now();
    return database_.read(
        kMemberships, call, [&](db::Session& session) -> Result<std::vector<Membership>> {
            std::vector<Membership> memberships;
            for (const auto& row : TenantStore{session}.list_oldest(user, kMembershipsMax))
                memberships.push_back(membership(row, now));
            return memberships;
        }
    );
}

Result<Membership> TenantService::get_membership(
    const Call& call, const UserId& user, std::string_view tenant
) {
    // It comes from a header, so it may be any bytes.
    if (!is_slug(tenant) && !TenantId::parse(tenant)) return not_found();
    const auto now = clock_.now();
    return database_.read(kMemberships, call, [&](db::Session& session) -> Result<Membership> {
        const auto row = TenantStore{session}.find_membership(user, tenant);
        if (!row) return not_found();
        return membership(*row, now);
    });
}

Result<std::vector<NamedTenant>> TenantService::find_tenants(
    const Call& call, std::string_view id_or_slug, std::int64_t limit
) {
    const bool is_for_all = id_or_slug.empty();
    if (!is_for_all && !is_slug(id_or_slug) && !TenantId::parse(id_or_slug))
        return std::vector<NamedTenant>{};
    return database_.read(
        kRecover, call, [&](db::Session& session) -> Result<std::vector<NamedTenant>> {
            TenantStore store{session};
            if (is_for_all) return store.list_names(limit);
            const auto found = store.find_name(id_or_slug);
            return found ? std::vector{*found} : std::vector<NamedTenant>{};
        }
    );
}

Result<std::vector<UserId>> TenantService::list_owners(
    const Call& call, const TenantId& tenant, std::int64_t limit
) {
    return database_.read(
        call.of_tenant(tenant), [&](db::Session& session) -> Result<std::vector<UserId>> {
            return TenantStore{session}.list_owners(tenant, limit);
        }
    );
}

Result<Done> TenantService::make_owner(const Call& call, const UserId& user) {
    const Member owner{user, Role::owner, clock_.now()};
    const auto news = outbox::MessageId::make(owner.created_at, random_);
    const auto made = database_.write(
        kCountMemberships, call, [&](db::Session& session) -> Result<Done> {
            TenantStore store{session};
            store.lock(call.tenant);
            const auto member = store.find_member(call.tenant, user);
            if (member && member->role == Role::owner) return Done{};
            if (member) {
                store.set_role(call.tenant, user, Role::owner);
            } else {
                SYNAPSEX_CHECK(check_room(store, call.tenant, user));
                store.insert_member(call.tenant, owner);
            }
            outbox::add(
                session, call,
                {news, owner.created_at, member ? "member.updated" : "member.added", user.text(),
                 news_of(owner)}
            );
            tell_replicas(session, call.tenant, user);
            return Done{};
        }
    );
    if (made) tell_member_changed(call.tenant, user);
    return made;
}

Result<TenantPage> TenantService::list(const Call& call, const ListTenants& wish) {
    SYNAPSEX_TRY(const auto after, api::decode_id_cursor<TenantId>(wish.cursor));
    const std::int64_t limit = wish.limit.value;
    const bool is_user = call.principal->kind == PrincipalKind::user;
    return database_.read(kMemberships, call, [&](db::Session& session) -> Result<TenantPage> {
        TenantStore store{session};
        std::vector<MembershipRow> rows;
        if (is_user) {
            rows = store.list_tenants(call.principal->user, after, limit + 1);
        } else if (auto own = store.find_membership(call.principal->user, call.tenant.text())) {
            // An API key sees the one tenant it belongs to.
            if (own->tenant_id.text() > after) rows.push_back(*std::move(own));
        }
        TenantPage page;
        page.next_cursor = api::cut_page(rows, limit, [](const MembershipRow& row) {
            return row.tenant_id.text();
        });
        for (const auto& row : rows) page.items.push_back(view(row));
        return page;
    });
}

Result<Tenant> TenantService::create(const Call& call, const CreateTenant& wish) {
    if (wish.slug && !is_slug(wish.slug->value)) return slug_invalid();
    // Who has asked for a tenant's end may begin anew; a suspension is not to be got round so.
    const auto& standing = call.principal->standing;
    if (standing.state == TenantState::suspended) SYNAPSEX_CHECK(check_active(standing));
    const auto now = clock_.now();
    const auto id = TenantId::make(now, random_);
    const auto news = outbox::MessageId::make(now, random_);
    const auto& plan = newest_plan(default_plan_);
    const auto slugs =
        wish.slug ? std::vector<std::string>{wish.slug->value} : slugs_for(wish.name.value, id);
    return database_.write(kTakeSlug, call, [&](db::Session& session) -> Result<Tenant> {
        TenantStore store{session};
        TenantRow row{id, {}, wish.name.value, now, now};
        SYNAPSEX_CHECK(
            insert_with_owner(store, row, plan, slugs, call.principal->user)
        );
        outbox::add(
            session, call.of_tenant(id), {news, now, "tenant.created", id.text(), news_of(row)}
        );
        return Tenant{id,        row.slug,            row.name, Role::owner,
                      plan.name, TenantState::active, now,      now};
    });
}

Result<Tenant> TenantService::get(const Call& call, const TenantId& tenant) {
    SYNAPSEX_CHECK(check_acts_in(call, tenant));
    return database_.read(call, [&](db::Session& session) -> Result<Tenant> {
        const auto row =
            TenantStore{session}.find_membership(call.principal->user, tenant.text());
        if (!row) return not_found();
        return view(*row);
    });
}

Result<Tenant> TenantService::update(const Call& call, const UpdateTenant& wish) {
    SYNAPSEX_CHECK(check_acts_in(call, wish.tenant_id));
    const auto now = clock_.now();
    const auto news = outbox::MessageId::make(now, random_);
    return database_.write(call, [&](db::Session& session) -> Result<Tenant> {
        TenantStore store{session};
        if (wish.name) store.rename(wish.tenant_id, wish.name->value, now);
        const auto row =
            store.find_membership(call.principal->user, wish.tenant_id.text());
        if (!row) return not_found();
        if (wish.name)
            outbox::add(
                session, call,
                {news, now, "tenant.updated", wish.tenant_id.text(), news_of(*row)}
            );
        return view(*row);
    });
}

Result<MemberPage> TenantService::list_members(const Call& call, const ListMembers& wish) {
    SYNAPSEX_CHECK(check_acts_in(call, wish.tenant_id));
    SYNAPSEX_TRY(const auto after, api::decode_id_cursor<UserId>(wish.cursor));
    const std::int64_t limit = wish.limit.value;
    return database_.read(call, [&](db::Session& session) -> Result<MemberPage> {
        MemberPage page;
        page.items = TenantStore{session}.list_members(wish.tenant_id, after, limit + 1);
        page.next_cursor = api::cut_page(page.items, limit, [](const Member& member) {
            return member.user_id.text();
        });
        return page;
    });
}

Result<Member> TenantService::add_member(const Call& call, const AddMember& wish) {
    SYNAPSEX_CHECK(check_acts_in(call, wish.tenant_id));
    const Member member{wish.user_id, wish.role, clock_.now()};
    const auto news = outbox::MessageId::make(member.created_at, random_);
    return database_.write(kCountMemberships, call, [&](db::Session& session) -> Result<Member> {
        TenantStore store{session};
        store.lock(wish.tenant_id);
        SYNAPSEX_TRY(const auto acting, acting_role(store, call));
        if (member.role == Role::owner && acting != Role::owner) return owner_required();
        if (store.find_member(wish.tenant_id, wish.user_id)) return member_exists();
        SYNAPSEX_CHECK(check_plan(store, wish.tenant_id, member.created_at));
        SYNAPSEX_CHECK(check_room(store, wish.tenant_id, wish.user_id));
        store.insert_member(wish.tenant_id, member);
        outbox::add(
            session, call,
            {news, member.created_at, "member.added", wish.user_id.text(), news_of(member)}
        );
        return member;
    });
}

Result<Member> TenantService::change_member(const Call& call, const ChangeMember& wish) {
    SYNAPSEX_CHECK(check_acts_in(call, wish.tenant_id));
    const auto now = clock_.now();
    const auto news = outbox::MessageId::make(now, random_);
    auto changed = database_.write(call, [&](db::Session& session) -> Result<Member> {
        TenantStore store{session};
        store.lock(wish.tenant_id);
        auto member = store.find_member(wish.tenant_id, wish.user_id);
        if (!member) return member_not_found();
        SYNAPSEX_CHECK(check_change(store, call, *member, wish.role));
        store.set_role(wish.tenant_id, wish.user_id, wish.role);
        member->role = wish.role;
        outbox::add(
            session, call, {news, now, "member.updated", wish.user_id.text(), news_of(*member)}
        );
        tell_replicas(session, wish.tenant_id, wish.user_id);
        return *member;
    });
    if (changed) tell_member_changed(wish.tenant_id, wish.user_id);
    return changed;
}

Result<Done> TenantService::remove_member(const Call& call, const MemberPath& path) {
    SYNAPSEX_CHECK(check_acts_in(call, path.tenant_id));
    const auto now = clock_.now();
    const auto news = outbox::MessageId::make(now, random_);
    const auto removed = database_.write(call, [&](db::Session& session) -> Result<Done> {
        TenantStore store{session};
        store.lock(path.tenant_id);
        const auto member = store.find_member(path.tenant_id, path.user_id);
        if (!member) return member_not_found();
        SYNAPSEX_CHECK(check_change(store, call, *member, std::nullopt));
        store.remove_member(path.tenant_id, path.user_id);
        outbox::add(
            session, call, {news, now, "member.removed", path.user_id.text(), news_of(*member)}
        );
        tell_replicas(session, path.tenant_id, path.user_id);
        return Done{};
    });
    if (removed) tell_member_changed(path.tenant_id, path.user_id);
    return removed;
}

void TenantService::on_member_changed(
    std::function<void(const TenantId&, const UserId&)> callback
) {
    on_member_changed_.push_back(std::move(callback));
}

void TenantService::repeat_member_changed(std::string_view text) const {
    const auto space = text.find(' ');
    if (space == text.npos) return;
    const auto tenant = TenantId::parse(text.substr(0, space));
    const auto user = UserId::parse(text.substr(space + 1));
    if (tenant && user) tell_member_changed(*tenant, *user);
}

void TenantService::tell_member_changed(const TenantId& tenant, const UserId& user) const {
    for (const auto& callback : on_member_changed_) callback(tenant, user);
}

}  // namespace synapsex::tenant
