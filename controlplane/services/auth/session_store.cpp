#include "controlplane/services/auth/session_store.hpp"

#include <array>

namespace synapsex::auth {

namespace {

using db::Query;

constexpr Query kFindFamily{"auth.find_family", R"sql(
    SELECT s.session_id, u.user_id, u.email, u.full_name, s.refresh_hash, s.previous_hash,
        s.previous_used_at, s.older_hash, s.older_used_at, s.successor, s.last_address
    FROM auth_sessions s JOIN auth_users u ON u.user_id = s.user_id
    WHERE (s.refresh_hash = $1 OR s.family_hash = $2) AND s.expires_at > $3
        AND s.refreshed_at <= $4 AND u.state = 'active')sql"};

constexpr Query kRotate{"auth.rotate", R"sql(
    UPDATE auth_sessions SET refresh_hash = $3, family_hash = $4,
        older_hash = previous_hash, older_used_at = previous_used_at,
        previous_hash = $2, previous_used_at = $6, successor = $5,
        refreshed_at = $7, expires_at = $8,
        last_address = $9, place = $10, user_agent = $11
    WHERE session_id = $1 AND refresh_hash = $2)sql"};

constexpr Query kForgetSuccessors{"auth.forget_successors", R"sql(
    UPDATE auth_sessions SET successor = NULL WHERE session_id IN (
        SELECT session_id FROM auth_sessions
        WHERE successor IS NOT NULL AND previous_used_at <= $1
        ORDER BY previous_used_at LIMIT $2))sql"};

constexpr Query kListOfUser{"auth.list_sessions", R"sql(
    SELECT session_id AS id, created_at, coalesce(signed_in_at, created_at) AS signed_in_at,
        refreshed_at AS last_refreshed_at, expires_at, last_address, user_agent
    FROM auth_sessions
    WHERE user_id = $1 AND ($2 = '' OR session_id < $2) AND expires_at > $3 AND refreshed_at <= $4
    ORDER BY session_id DESC LIMIT $5)sql"};

constexpr Query kEndOfUser{"auth.end_session", R"sql(
    DELETE FROM auth_sessions WHERE user_id = $1 AND session_id = $2)sql"};

constexpr Query kEndOthers{"auth.end_other_sessions", R"sql(
    DELETE FROM auth_sessions WHERE user_id = $1 AND session_id <> $2 RETURNING session_id)sql"};

constexpr Query kSetSignedIn{"auth.set_signed_in", R"sql(
    UPDATE auth_sessions SET signed_in_at = $2 WHERE session_id = $1)sql"};

constexpr Query kHasSessionAt{"auth.has_session_at", R"sql(
    SELECT s.session_id FROM auth_sessions s JOIN auth_users u ON u.user_id = s.user_id
    WHERE u.email = $1 AND s.place = $2 AND s.expires_at > $3 AND u.state = 'active'
    LIMIT 1)sql"};

constexpr Query kFindLocks{"auth.find_locks", R"sql(
    SELECT lock_id, failures, failed_at FROM auth_sign_in_locks
    WHERE lock_id IN ($1, $2, $3))sql"};

constexpr Query kPutLock{"auth.put_lock", R"sql(
    INSERT INTO auth_sign_in_locks (lock_id, failures, failed_at, forgotten_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (lock_id) DO UPDATE SET failures = excluded.failures,
        failed_at = excluded.failed_at, forgotten_at = excluded.forgotten_at
    WHERE auth_sign_in_locks.failed_at < excluded.failed_at)sql"};

constexpr Query kRemoveLock{"auth.remove_lock", R"sql(
    DELETE FROM auth_sign_in_locks WHERE lock_id = $1)sql"};

constexpr Query kPruneLocks{"auth.prune_locks", R"sql(
    DELETE FROM auth_sign_in_locks WHERE lock_id IN (
        SELECT lock_id FROM auth_sign_in_locks WHERE forgotten_at <= $1
        ORDER BY forgotten_at LIMIT $2))sql"};

constexpr std::array kQueries{
    &kFindFamily,  &kRotate,       &kForgetSuccessors, &kListOfUser,
    &kEndOfUser,  &kEndOthers,    &kSetSignedIn,      &kHasSessionAt,
    &kFindLocks,   &kPutLock,      &kRemoveLock,       &kPruneLocks,
};

}  // namespace

std::span<const Query* const> SessionStore::queries() { return kQueries; }

std::optional<FamilyRow> SessionStore::find_family(
    std::string_view refresh_hash, std::string_view family_hash, Timestamp now, Timestamp latest
) {
    return session_.find<FamilyRow>(kFindFamily, refresh_hash, family_hash, now, latest);
}

bool SessionStore::rotate(const Rotation& rotation) {
    return session_.execute(
               kRotate, rotation.session_id, rotation.old_hash, rotation.new_hash,
               rotation.family_hash, rotation.successor, rotation.used_at, rotation.now,
               rotation.expires_at, rotation.where.address, rotation.where.place,
               rotation.where.user_agent
           ) == 1;
}

std::int64_t SessionStore::forget_successors(Timestamp used_before, std::int64_t limit) {
    return session_.execute(kForgetSuccessors, used_before, limit);
}

std::vector<SignedInSession> SessionStore::list(
    const UserId& user, std::string_view before, Timestamp now, Timestamp latest,
    std::int64_t limit
) {
    const auto rows = session_.query(kListOfUser, user, before, now, latest, limit);
    std::vector<SignedInSession> sessions;
    for (std::size_t i = 0; i < rows.size(); ++i)
        sessions.push_back({
            .id = rows[i].get<SessionId>("id"),
            .created_at = rows[i].get<Timestamp>("created_at"),
            .signed_in_at = rows[i].get<Timestamp>("signed_in_at"),
            .last_refreshed_at = rows[i].get<Timestamp>("last_refreshed_at"),
            .expires_at = rows[i].get<Timestamp>("expires_at"),
            .last_address = rows[i].get<std::string>("last_address"),
            .user_agent = rows[i].get<std::string>("user_agent"),
        });
    return sessions;
}

bool SessionStore::end(const UserId& user, const SessionId& session) {
    return session_.execute(kEndOfUser, user, session) == 1;
}

std::vector<SessionId> SessionStore::end_others(const UserId& user, std::string_view kept) {
    const auto rows = session_.query(kEndOthers, user, kept);
    std::vector<SessionId> ended;
    for (std::size_t i = 0; i < rows.size(); ++i)
        ended.push_back(rows[i].get<SessionId>("session_id"));
    return ended;
}

void SessionStore::set_signed_in(const SessionId& session, Timestamp now) {
    session_.execute(kSetSignedIn, session, now);
}

bool SessionStore::has_session_at(
    std::string_view email, std::string_view place, Timestamp now
) {
    return !session_.query(kHasSessionAt, email, place, now).empty();
}

std::vector<LockRow> SessionStore::find_locks(
    std::string_view first, std::string_view second, std::string_view third
) {
    return session_.list<LockRow>(kFindLocks, first, second, third);
}

void SessionStore::put_lock(const LockRow& lock, Timestamp forgotten_at) {
    session_.execute(kPutLock, lock.lock_id, lock.failures, lock.failed_at, forgotten_at);
}

void SessionStore::remove_lock(std::string_view lock_id) {
    session_.execute(kRemoveLock, lock_id);
}

std::int64_t SessionStore::prune_locks(Timestamp now, std::int64_t limit) {
    return session_.execute(kPruneLocks, now, limit);
}

}  // namespace synapsex::auth
