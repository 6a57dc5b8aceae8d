#pragma once

// The SQL of sessions as families of refresh tokens, and of what holds sign-ins up. No rules, no
// clock. What else is asked of sessions stands in store.hpp.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/auth/api.hpp"
#include "controlplane/services/auth/store.hpp"

namespace synapsex::auth {

// A session as a refresh token finds it. `at` columns are of the database's clock.
struct FamilyRow {
    SessionId session_id;
    UserId user_id;
    std::string email;
    std::string full_name;
    std::string refresh_hash;  // of the token that counts
    std::optional<std::string> previous_hash;
    std::optional<Timestamp> previous_used_at;
    std::optional<std::string> older_hash;
    std::optional<Timestamp> older_used_at;
    std::optional<std::string> successor;
    std::string last_address;
};
BOOST_DESCRIBE_STRUCT(
    FamilyRow, (),
    (session_id, user_id, email, full_name, refresh_hash, previous_hash, previous_used_at,
     older_hash, older_used_at, successor, last_address)
)

struct Rotation {
    SessionId session_id;
    std::string old_hash;
    std::string new_hash;
    std::string family_hash;
    std::string successor;  // sealed
    Timestamp used_at{};    // by the database's clock
    Timestamp now{};
    Timestamp expires_at{};
    Whereabouts where{};
};

struct LockRow {
    std::string lock_id;
    std::int64_t failures = 0;
    Timestamp failed_at{};
};
BOOST_DESCRIBE_STRUCT(LockRow, (), (lock_id, failures, failed_at))

class SessionStore {
 public:
    explicit SessionStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // Begun or refreshed by `latest`, not expired now, of a user who is active.
    std::optional<FamilyRow> find_family(
        std::string_view refresh_hash, std::string_view family_hash, Timestamp now,
        Timestamp latest
    );
    // False: another token counts by now.
    bool rotate(const Rotation& rotation);
    // Those whose token was used at `used_before` or earlier; how many.
    std::int64_t forget_successors(Timestamp used_before, std::int64_t limit);

    // The newest first; `before` is an id, or empty.
    std::vector<SignedInSession> list(
        const UserId& user, std::string_view before, Timestamp now, Timestamp latest,
        std::int64_t limit
    );
    // False: the user has no such session.
    bool end(const UserId& user, const SessionId& session);
    // All of the user but `kept`, which may be empty.
    std::vector<SessionId> end_others(const UserId& user, std::string_view kept);
    void set_signed_in(const SessionId& session, Timestamp now);

    // That the user of this address, if there is one, has a session that was last at the place.
    bool has_session_at(std::string_view email, std::string_view place, Timestamp now);

    std::vector<LockRow> find_locks(
        std::string_view first, std::string_view second, std::string_view third
    );
    // The later failure stays.
    void put_lock(const LockRow& lock, Timestamp forgotten_at);
    void remove_lock(std::string_view lock_id);
    // How many.
    std::int64_t prune_locks(Timestamp now, std::int64_t limit);

 private:
    db::Session& session_;
};

}  // namespace synapsex::auth
