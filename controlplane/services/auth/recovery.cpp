#include "controlplane/services/auth/recovery.hpp"

#include <algorithm>

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/auth/email.hpp"
#include "controlplane/services/auth/problems.hpp"
#include "controlplane/services/auth/service.hpp"

namespace synapsex::auth {

namespace {

constexpr std::int64_t kNamesMax = 20;

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

Problem registration_unfinished() {
    return {
        Kind::conflict, "auth.registration_unfinished",
        "A registration with this e-mail address was left and is being taken back, which takes an "
        "hour of a running control plane. Use another address, or do this again then."
    };
}

}  // namespace

Result<RecoveryPlan> Recovery::plan(const Call& call, const RecoveryWish& wish) {
    const auto email = normalize_email(wish.email);
    if (!email) return email_invalid();
    SYNAPSEX_TRY(const auto user, find_user(call, *email));
    if (user && user->state == UserState::abandoned) return registration_unfinished();
    const bool is_known = user && user->state == UserState::active;
    std::vector<tenant::Membership> own;
    if (is_known) {
        SYNAPSEX_TRY(own, parts_.directory.list_memberships(call, user->user_id));
    }
    SYNAPSEX_TRY(const auto tenant, choose_tenant(call, wish.tenant, own));
    if (!is_known && !wish.may_make_user) return user_not_found(call, *email, tenant);
    RecoveryPlan plan{*email, {}, tenant, {}};
    if (is_known) plan.user_id = user->user_id;
    const auto place = std::ranges::find(own, tenant.tenant_id, &tenant::Membership::tenant_id);
    if (place != own.end()) plan.role = place->role;
    return plan;
}

Result<std::optional<UserRow>> Recovery::find_user(const Call& call, const std::string& email) {
    return parts_.database.read(
        call, [&](db::Session& session) -> Result<std::optional<UserRow>> {
            return AuthStore{session}.find_user(email);
        }
    );
}

// The user's own tenant goes before others, and one that was named before all.
Result<tenant::NamedTenant> Recovery::choose_tenant(
    const Call& call, const std::string& wish, const std::vector<tenant::Membership>& own
) {
    SYNAPSEX_TRY(auto found, parts_.tenants.find_tenants(call, wish, kNamesMax + 1));
    if (wish.empty() && !own.empty()) {
        found.clear();
        for (const auto& place : own) found.push_back({place.tenant_id, place.slug, place.name});
    }
    if (found.size() == 1) return found.front();
    if (!wish.empty()) {
        SYNAPSEX_TRY(found, parts_.tenants.find_tenants(call, "", kNamesMax + 1));
    }
    std::vector<std::string> slugs;
    for (const auto& each : found) slugs.push_back(each.slug);
    const bool has_more = slugs.size() > kNamesMax;
    if (has_more) slugs.resize(kNamesMax);
    const auto list = joined(slugs) + (has_more ? ", …" : "");
    if (found.empty())
        return Problem{
            Kind::not_found, "tenants.not_found", "There is no tenant here; run init first."
        };
    if (!wish.empty())
        return Problem{
            Kind::not_found, "tenants.not_found",
            "No tenant has the slug or id \"" + wish + "\". There are: " + list + "."
        };
    return Problem{
        Kind::conflict, "auth.tenant_ambiguous", "Say of which tenant, with --tenant: " + list + "."
    };
}

// Typed wrong, most likely; so who the owners are is of help.
Problem Recovery::user_not_found(
    const Call& call, const std::string& email, const tenant::NamedTenant& tenant
) {
    SYNAPSEX_TRY(
        const auto owners, parts_.tenants.list_owners(call, tenant.tenant_id, kNamesMax)
    );
    SYNAPSEX_TRY(
        const auto emails,
        parts_.database.read(call, [&](db::Session& session) -> Result<std::vector<std::string>> {
            std::vector<std::string> found;
            for (const auto& owner : owners)
                if (auto text = AuthStore{session}.find_email(owner))
                    found.push_back(*std::move(text));
            return found;
        })
    );
    std::string detail = "No user has the e-mail address " + email + ".";
    if (!emails.empty()) detail += " Owners of " + tenant.slug + ": " + joined(emails) + ".";
    detail += " With --create-user it makes a user of that address who owns " + tenant.slug + ".";
    return {Kind::not_found, "auth.user_not_found", detail};
}

Result<Recovered> Recovery::carry_out(
    const Call& call, const RecoveryPlan& plan, const std::string& password
) {
    SYNAPSEX_TRY(const auto hash, parts_.passwords.hash(call, password));
    SYNAPSEX_TRY(const auto user, reserve(call, plan));
    const auto in_tenant = call.of_tenant(plan.tenant.tenant_id);
    SYNAPSEX_CHECK(parts_.tenants.make_owner(in_tenant, user));
    const auto now = parts_.clock.now();
    const auto news = outbox::MessageId::make(now, parts_.random);
    return parts_.database.write(in_tenant, [&](db::Session& session) -> Result<Recovered> {
        AuthStore store{session};
        if (!store.recover_user(user, hash, now)) return registration_unfinished();
        const auto ended = store.end_sessions(user);
        for (const auto& each : ended) wakeups::tell(session, kKeyRevoked, each.text());
        const auto data = api::JsonObjectText{}
                              .add("created", plan.user_id ? "false" : "true")
                              .add("sessionsEnded", std::to_string(ended.size()))
                              .finish();
        outbox::add(session, in_tenant, {news, now, "user.recovered", user.text(), data});
        return Recovered{user, ended.size()};
    });
}

// A user without a password; the one of an earlier try, if there was one.
Result<UserId> Recovery::reserve(const Call& call, const RecoveryPlan& plan) {
    if (plan.user_id) return *plan.user_id;
    UserRow wish;
    wish.email = plan.email;
    wish.updated_at = parts_.clock.now();
    wish.user_id = UserId::make(wish.updated_at, parts_.random);
    return parts_.database.write(call, [&](db::Session& session) -> Result<UserId> {
        AuthStore store{session};
        if (store.insert_user(wish)) return wish.user_id;
        const auto earlier = store.find_user(wish.email);
        if (!earlier) return busy();
        if (earlier->state == UserState::active) return email_taken();
        if (!store.take_over_registration(earlier->user_id, wish.updated_at))
            return registration_unfinished();
        return earlier->user_id;
    });
}

}  // namespace synapsex::auth
