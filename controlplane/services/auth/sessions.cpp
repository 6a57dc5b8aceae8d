#include "controlplane/services/auth/sessions.hpp"

#include <algorithm>

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/auth/problems.hpp"
#include "controlplane/services/auth/secrets.hpp"
#include "controlplane/services/auth/sign_in_limits.hpp"
#include "shared/crypto/hash.hpp"
#include "shared/crypto/seal.hpp"

namespace synapsex::auth {

namespace {

constexpr std::int64_t kPruneBatch = 500;

// The key is made of the token itself, so the database alone opens nothing.
crypto::SealingKey key_of(std::string_view token) {
    return crypto::SealingKey::derive(token, "synapsex.refresh-successor");
}

bool is_in_grace(const std::optional<Timestamp>& used_at, Timestamp at) {
    return used_at && at - *used_at <= kRefreshGrace;
}

// The call as the user makes it who has proved to be one by the body.
Call as_user(
    const Call& call, const TenantId& tenant, const UserId& user, const SessionId& session
) {
    auto principal = std::make_shared<Principal>(*call.principal);
    principal->kind = PrincipalKind::user;
    principal->tenant = tenant;
    principal->user = user;
    principal->credential_id = session.text();
    auto made = call.of_tenant(tenant);
    made.principal = std::move(principal);
    return made;
}

}  // namespace

TokenUse judge(const FamilyRow& session, std::string_view refresh_hash, Timestamp at) {
    if (session.refresh_hash == refresh_hash) return TokenUse::current;
    if (session.previous_hash == refresh_hash && is_in_grace(session.previous_used_at, at))
        return session.successor ? TokenUse::successor : TokenUse::superseded;
    if (session.older_hash == refresh_hash && is_in_grace(session.older_used_at, at))
        return TokenUse::superseded;
    return TokenUse::reused;
}

EndedSessions::EndedSessions(Timestamp now, Random& random) : now_(now) {
    // Two sign-ins at once may leave a few more than kSessionsMax for a moment.
    for (std::int64_t i = 0; i < 2 * kSessionsMax; ++i)
        ids_.push_back(outbox::MessageId::make(now, random));
}

void EndedSessions::tell(
    db::Session& session, const Call& told, const std::vector<SessionId>& ended,
    std::string_view reason
) const {
    const auto data = api::JsonObjectText{}.add_text("reason", reason).finish();
    auto id = ids_.begin();
    for (const auto& each : ended) {
        wakeups::tell(session, kKeyRevoked, each.text());
        if (id != ids_.end())
            outbox::add(session, told, {*id++, now_, "session.ended", each.text(), data});
    }
}

SessionId session_of(const Call& call) {
    return SessionId::parse(call.principal->credential_id).value_or(SessionId{});
}

Whereabouts whereabouts_of(const Call& call) {
    return {call.client_address, place_of(call.client_address), call.user_agent};
}

Result<std::optional<TokenPair>> Sessions::begin(
    const Call& call, const UserRow& user, const std::optional<std::string>& better_hash
) {
    SYNAPSEX_TRY(const auto tenant, default_tenant(call, user.user_id));
    const auto now = parts_.clock.now();
    const auto refresh = make_refresh_token(parts_.random);
    const SessionRow row{
        SessionId::make(now, parts_.random), user.user_id, crypto::sha256_hex(refresh), now,
        now + kSessionLifetime, crypto::sha256_hex(family_of(refresh)), whereabouts_of(call)
    };
    const auto told = as_user(call, tenant, user.user_id, row.session_id);
    const auto news = outbox::MessageId::make(now, parts_.random);
    const EndedSessions crowded_out{now, parts_.random};
    const auto data = api::JsonObjectText{}
                          .add_text("id", row.session_id.text())
                          .add_text("userId", user.user_id.text())
                          .add_text("userAgent", row.where.user_agent)
                          .finish();
    using Ended = std::optional<std::vector<SessionId>>;
    SYNAPSEX_TRY(
        const auto ended, parts_.database.write(told, [&](db::Session& session) -> Result<Ended> {
            AuthStore store{session};
            // Or a recovery that has ended all sessions would miss this one.
            if (!store.has_password(user.user_id, user.password_hash)) return Ended{};
            if (better_hash)
                store.replace_password_hash(user.user_id, user.password_hash, *better_hash, now);
            store.insert_session(row);
            outbox::add(session, told, {news, now, "session.created", row.session_id.text(), data});
            auto oldest = store.end_oldest_sessions(
                user.user_id, kSessionsMax, AccessTokens::latest_issue(now)
            );
            crowded_out.tell(session, told, oldest, "too_many");
            return Ended{std::move(oldest)};
        })
    );
    if (!ended) return std::optional<TokenPair>{};
    forget(*ended);
    FamilyRow signed_in;
    signed_in.session_id = row.session_id;
    signed_in.user_id = user.user_id;
    signed_in.email = user.email;
    return std::optional{make_pair(signed_in, tenant, refresh)};
}

Result<TokenPair> Sessions::refresh(const Call& call, const Refresh& refresh) {
    if (refresh.refreshToken.has_value() == refresh.refresh_token.has_value())
        return refresh_missing();
    const auto& token = refresh.refreshToken ? refresh.refreshToken->value
                                             : refresh.refresh_token->value;
    if (!is_refresh_token(token)) return refresh_invalid();
    const auto hash = crypto::sha256_hex(token);
    const auto family_hash = crypto::sha256_hex(family_of(token));
    const auto now = parts_.clock.now();
    SYNAPSEX_TRY(
        const auto user,
        parts_.database.read(call, [&](db::Session& session) -> Result<FamilyRow> {
            auto row = SessionStore{session}.find_family(
                hash, family_hash, now, AccessTokens::latest_issue(now)
            );
            if (!row) return refresh_invalid();
            return *std::move(row);
        })
    );
    SYNAPSEX_TRY(const auto tenant, default_tenant(call, user.user_id));
    // Last, so that nothing can fail once the old token is used.
    const auto next = make_successor(token, parts_.random);
    SYNAPSEX_TRY(
        const auto used, use_token(call.of_tenant(tenant), token, next, user.session_id)
    );
    switch (used.use) {
        case TokenUse::current: return make_pair(used.session, tenant, next);
        case TokenUse::superseded: return refresh_superseded();
        case TokenUse::reused: forget({used.session.session_id}); return refresh_reused();
        case TokenUse::successor: break;
    }
    const auto successor =
        crypto::open(key_of(token), *used.session.successor, used.session.session_id.text());
    // Not so where a replica of the release before has refreshed since: it does not seal.
    if (!successor || crypto::sha256_hex(*successor) != used.session.refresh_hash)
        return refresh_superseded();
    return make_pair(used.session, tenant, *successor);
}

// Of many who bring the same token the first one uses it, and the others see that: transactions are
// serializable.
Result<Sessions::Used> Sessions::use_token(
    const Call& told, const std::string& token, const std::string& next, const SessionId& id
) {
    const auto now = parts_.clock.now();
    const auto hash = crypto::sha256_hex(token);
    const auto family_hash = crypto::sha256_hex(family_of(token));
    Rotation rotation{
        .session_id = id,
        .old_hash = hash,
        .new_hash = crypto::sha256_hex(next),
        .family_hash = family_hash,
        .successor = crypto::seal(key_of(token), next, id.text(), parts_.random),
        .now = now,
        .expires_at = now + kSessionLifetime,
        .where = whereabouts_of(told),
    };
    const auto news = outbox::MessageId::make(now, parts_.random);
    const EndedSessions ended{now, parts_.random};
    return parts_.database.write(told, [&](db::Session& session) -> Result<Used> {
        SessionStore store{session};
        auto row =
            store.find_family(hash, family_hash, now, AccessTokens::latest_issue(now));
        if (!row || row->session_id != id) return refresh_invalid();
        const auto at = session.now();
        const auto use = judge(*row, hash, at);
        if (use == TokenUse::current) {
            auto mine = rotation;
            mine.used_at = at;
            if (!store.rotate(mine)) return busy();
        }
        if (use == TokenUse::reused) {
            store.end(row->user_id, id);
            const auto data = api::JsonObjectText{}
                                  .add_text("userId", row->user_id.text())
                                  .add_text("userAgent", told.user_agent)
                                  .add_text("lastAddress", row->last_address)
                                  .finish();
            outbox::add(session, told, {news, now, "session.reuse_detected", id.text(), data});
            ended.tell(session, told, {id}, "refresh_reused");
        }
        return Used{use, *std::move(row)};
    });
}

Result<SessionPage> Sessions::list(const Call& call, const ListSessions& wish) {
    SYNAPSEX_TRY(const auto before, api::decode_id_cursor<SessionId>(wish.cursor));
    const std::int64_t limit = wish.limit.value;
    const auto now = parts_.clock.now();
    return parts_.database.read(call, [&](db::Session& session) -> Result<SessionPage> {
        SessionPage page;
        page.items = SessionStore{session}.list(
            call.principal->user, before, now, AccessTokens::latest_issue(now), limit + 1
        );
        for (auto& each : page.items)
            each.is_current = each.id.text() == call.principal->credential_id;
        page.next_cursor = api::cut_page(page.items, limit, [](const SignedInSession& each) {
            return each.id.text();
        });
        return page;
    });
}

Result<Done> Sessions::end(const Call& call, const SessionId& id) {
    const EndedSessions ended{parts_.clock.now(), parts_.random};
    SYNAPSEX_CHECK(parts_.database.write(call, [&](db::Session& session) -> Result<Done> {
        if (!SessionStore{session}.end(call.principal->user, id)) return session_not_found();
        ended.tell(session, call, {id}, "ended_by_user");
        return Done{};
    }));
    forget({id});
    return Done{};
}

Result<Done> Sessions::end_current(const Call& call) {
    auto ended = end(call, session_of(call));
    if (!ended && ended.error().kind == Kind::not_found) return Done{};
    return ended;
}

Result<SessionsEnded> Sessions::end_all(const Call& call, const LogoutEverywhere& wish) {
    const std::string kept =
        wish.keep_current.value_or(false) ? call.principal->credential_id : std::string{};
    const EndedSessions news{parts_.clock.now(), parts_.random};
    using Ids = std::vector<SessionId>;
    SYNAPSEX_TRY(
        const auto ended, parts_.database.write(call, [&](db::Session& session) -> Result<Ids> {
            auto ids = SessionStore{session}.end_others(call.principal->user, kept);
            news.tell(session, call, ids, "ended_by_user");
            return ids;
        })
    );
    forget(ended);
    return SessionsEnded{static_cast<std::int64_t>(ended.size())};
}

void Sessions::forget(const std::vector<SessionId>& ended) {
    for (const auto& each : ended) parts_.cache.forget_credential(each.text());
}

Result<Done> Sessions::prune(const Call& call) {
    const auto now = parts_.clock.now();
    const auto prune_batch = [&](db::Session& session) -> Result<std::int64_t> {
        return AuthStore{session}.prune_sessions(now, kPruneBatch);
    };
    // In batches, so that others write in between.
    for (;;) {
        SYNAPSEX_TRY(const auto pruned, parts_.database.write(call, prune_batch));
        if (pruned < kPruneBatch) return Done{};
    }
}

Result<Done> Sessions::forget_successors(const Call& call) {
    const auto forget_batch = [&](db::Session& session) -> Result<std::int64_t> {
        return SessionStore{session}.forget_successors(
            session.now() - kRefreshGrace, kPruneBatch
        );
    };
    for (;;) {
        SYNAPSEX_TRY(const auto forgotten, parts_.database.write(call, forget_batch));
        if (forgotten < kPruneBatch) return Done{};
    }
}

Result<TenantId> Sessions::default_tenant(const Call& call, const UserId& user) {
    SYNAPSEX_TRY(const auto memberships, parts_.tenants.list_memberships(call, user));
    if (memberships.empty()) return no_tenant();
    return memberships.front().tenant_id;
}

TokenPair Sessions::make_pair(
    const FamilyRow& user, const TenantId& tenant, std::string refresh
) const {
    TokenPair pair;
    pair.access_token = parts_.tokens.issue_to_user(tenant, user.user_id, user.session_id);
    pair.refresh_token = std::move(refresh);
    pair.expires_in = AccessTokens::kLifetime.count();
    pair.user = {user.user_id, user.email, tenant};
    return pair;
}

}  // namespace synapsex::auth
