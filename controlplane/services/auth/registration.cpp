#include "controlplane/services/auth/registration.hpp"

#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/auth/email.hpp"
#include "controlplane/services/auth/problems.hpp"

namespace synapsex::auth {

namespace {

TenantId tenant_of(const UserId& user) { return TenantId::derived_from(user); }

}  // namespace

Registration::Registration(
    db::Database& database,
    tenant::TenantDirectory& tenants,
    PasswordGate& passwords,
    const Clock& clock,
    Random& random
)
    : database_(database),
      tenants_(tenants),
      passwords_(passwords),
      clock_(clock),
      random_(random) {}

Result<UserRow> Registration::register_user(const Call& call, const Registrant& registrant) {
    const auto email = normalize_email(registrant.email);
    if (!email) return email_invalid();
    UserRow wish;
    wish.email = *email;
    wish.full_name = registrant.full_name;
    SYNAPSEX_TRY(wish.password_hash, passwords_.hash(call, registrant.password));
    wish.updated_at = clock_.now();
    wish.user_id = UserId::make(wish.updated_at, random_);

    SYNAPSEX_TRY(UserRow user, reserve(call, wish));
    if (user.state == UserState::abandoned) {
        // A sweep took it and was cut off: finish that, then start from nothing.
        SYNAPSEX_CHECK(take_back(call, user));
        SYNAPSEX_TRY(user, reserve(call, wish));
        if (user.state == UserState::abandoned) return busy();
    }
    SYNAPSEX_CHECK(tenants_.create_tenant(
        call, tenant_of(user.user_id), "", registrant.tenant_name, user.user_id
    ));
    const auto now = clock_.now();
    const auto news = outbox::MessageId::make(now, random_);
    const auto in_tenant = call.of_tenant(tenant_of(user.user_id));
    return database_.write(in_tenant, [&](db::Session& session) -> Result<UserRow> {
        if (!AuthStore{session}.activate_user(user, now)) return email_taken();
        outbox::add(session, in_tenant, {news, now, "user.registered", user.user_id.text()});
        auto active = user;
        active.state = UserState::active;
        return active;
    });
}

// The row that stands for the e-mail: the wish, the same under the id of an earlier try, or one
// that is being taken back.
Result<UserRow> Registration::reserve(const Call& call, const UserRow& wish) {
    return database_.write(call, [&](db::Session& session) -> Result<UserRow> {
        AuthStore store{session};
        if (store.insert_user(wish)) return wish;
        const auto earlier = store.find_user(wish.email);
        if (!earlier) return busy();
        if (earlier->state == UserState::abandoned) return *earlier;
        auto again = wish;
        again.user_id = earlier->user_id;
        if (!store.restart_registration(again)) return email_taken();
        return again;
    });
}

Result<Done> Registration::take_back(const Call& call, const UserRow& user) {
    SYNAPSEX_CHECK(tenants_.abandon_tenant(call, tenant_of(user.user_id), user.user_id));
    SYNAPSEX_CHECK(tenants_.abandon_memberships(call, user.user_id));  // that a recovery made
    return database_.write(call, [&](db::Session& session) -> Result<Done> {
        AuthStore{session}.remove_abandoned_user(user.user_id);
        return Done{};
    });
}

Result<Done> Registration::sweep(const Call& call) {
    const auto now = clock_.now();
    SYNAPSEX_TRY(
        const auto abandoned,
        database_.write(call, [&](db::Session& session) -> Result<std::vector<UserRow>> {
            return AuthStore{session}.abandon_registrations(now - kAbandonedAfter, now, kSweepMax);
        })
    );
    for (const auto& user : abandoned) SYNAPSEX_CHECK(take_back(call, user));
    return Done{};
}

}  // namespace synapsex::auth
