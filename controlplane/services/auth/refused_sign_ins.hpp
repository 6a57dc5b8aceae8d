#pragma once

// Tells of sign-ins that were refused: one `sign_in.refused` for an account, a place and a minute,
// with how many there were. Noted in memory and written behind, so that neither the outbox nor the
// time of an answer grows with a storm, nor tells who exists; a crash loses the last minute.
//
// Of an account that exists it is told in its user's tenant, else of the installation and without
// what was typed, which may have been a password.

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/tenant/public.hpp"
#include "shared/base/random.hpp"

namespace synapsex::auth {

// Any thread.
class RefusedSignIns {
 public:
    // At a time; all others of a minute are one message that says how many.
    static constexpr std::size_t kNotedMax = 100;

    RefusedSignIns(
        db::Database& database, tenant::TenantDirectory& tenants, const Clock& clock,
        Random& random
    )
        : database_(database), tenants_(tenants), clock_(clock), random_(random) {}

    enum class Reason {
        wrong,    // no such account, or another password
        held_up,  // auth.too_many_attempts
    };
    void note(const Call& call, const std::optional<UserId>& user, Reason reason);
    // Tells of the minutes that are over, or of all. What could not be told is kept for the next
    // time.
    enum class Minutes { over, all };
    Result<Done> flush(const Call& call, Minutes minutes);

 private:
    struct Key {
        Timestamp minute;
        std::string user;   // id; empty: no such account
        std::string place;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Refused {
        std::int64_t wrong = 0;
        std::int64_t held_up = 0;
        Timestamp first{};
        std::string request_id;  // of the first
        std::string address;
        std::string user_agent;
        bool is_of_others = false;
    };
    using Noted = std::map<Key, Refused>;

    Result<Done> tell(const Call& call, const Key& key, const Refused& refused);

    db::Database& database_;
    tenant::TenantDirectory& tenants_;
    const Clock& clock_;
    Random& random_;
    std::mutex mutex_;
    Noted noted_;
};

}  // namespace synapsex::auth
