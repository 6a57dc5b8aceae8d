#pragma once

// Sessions: begun by a password, kept by refresh tokens, ended by their user. A session is the
// family of the refresh tokens that it was given; exactly one of them counts, and using it gives
// the next one.
//
// Two tabs of a browser, or a client that lost the answer, bring the same token twice. Within
// kRefreshGrace of its use a token gives its successor again: the same one. The successor is sealed
// under a key made of the used token, which nobody has but who brings it. Later, a token that was
// used shows that two have it, and nobody knows which of them is the user: the session ends.

#include <chrono>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/outbox/message.hpp"
#include "controlplane/platform/wakeups/wakeups.hpp"
#include "controlplane/services/auth/access_tokens.hpp"
#include "controlplane/services/auth/principal_cache.hpp"
#include "controlplane/services/auth/session_store.hpp"
#include "controlplane/services/auth/store.hpp"
#include "controlplane/services/tenant/public.hpp"

namespace synapsex::auth {

inline constexpr std::chrono::hours kSessionLifetime{30 * 24};  // from its last refresh
inline constexpr std::int64_t kSessionsMax = 100;               // of a user; the oldest end
inline constexpr std::chrono::seconds kRefreshGrace{20};        // from the use of a token

// The key's id; or a session's that somebody else has ended.
inline constexpr wakeups::Topic kKeyRevoked{"auth.key_revoked"};

// What a token of the session's family is, at an instant of the database's clock.
enum class TokenUse {
    current,     // it counts
    successor,   // used within the grace, and what it gave still counts
    superseded,  // used within the grace, and so was what it gave
    reused,      // used before that
};
TokenUse judge(const FamilyRow& session, std::string_view refresh_hash, Timestamp at);

// What ends sessions tells of each of them, in the transaction that ends them. Made outside it.
class EndedSessions {
 public:
    EndedSessions(Timestamp now, Random& random);
    // `told` is of the tenant in which it is told. Gives the hint to other replicas, too.
    void tell(
        db::Session& session, const Call& told, const std::vector<SessionId>& ended,
        std::string_view reason
    ) const;

 private:
    Timestamp now_;
    std::vector<outbox::MessageId> ids_;
};

class Sessions {
 public:
    struct Parts {
        db::Database& database;
        tenant::TenantDirectory& tenants;
        const AccessTokens& tokens;
        PrincipalCache& cache;
        const Clock& clock;
        Random& random;
    };
    explicit Sessions(const Parts& parts) : parts_(parts) {}

    // For a user whose password was right; `better_hash` is of the same password and replaces the
    // one that was read. nullopt: the user has another password by now.
    Result<std::optional<TokenPair>> begin(
        const Call& call, const UserRow& user, const std::optional<std::string>& better_hash
    );
    Result<TokenPair> refresh(const Call& call, const Refresh& refresh);

    // The caller's own.
    Result<SessionPage> list(const Call& call, const ListSessions& wish);
    // Kind::not_found auth.session_not_found.
    Result<Done> end(const Call& call, const SessionId& session);
    // The one of the call; if that has ended meanwhile it is done.
    Result<Done> end_current(const Call& call);
    Result<SessionsEnded> end_all(const Call& call, const LogoutEverywhere& wish);
    // After sessions were ended in a write: they count no more in this process either.
    void forget(const std::vector<SessionId>& ended);

    // Forgets the sessions that have expired.
    Result<Done> prune(const Call& call);
    // Forgets what was sealed for the grace, once that is over.
    Result<Done> forget_successors(const Call& call);

 private:
    struct Used {
        TokenUse use;
        FamilyRow session;
    };
    Result<Used> use_token(
        const Call& told, const std::string& token, const std::string& next,
        const SessionId& session
    );
    Result<TenantId> default_tenant(const Call& call, const UserId& user);
    TokenPair make_pair(const FamilyRow& user, const TenantId& tenant, std::string refresh) const;

    Parts parts_;
};

// The session of a call by a user who signed in.
SessionId session_of(const Call& call);
// Where the call came from.
Whereabouts whereabouts_of(const Call& call);

}  // namespace synapsex::auth
