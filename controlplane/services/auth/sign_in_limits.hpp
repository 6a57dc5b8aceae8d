#pragma once

// Holds up who guesses passwords, before any hash is computed. Three counts of failures, each with
// a rule of its own: of an account from one place, of an account from anywhere, of a place. After
// so many failures the next try has to wait, longer each time up to a most; what waits is refused
// alike, with the right password too. Nobody is locked out for good: every count fades.
//
// Where the user has a session already (the same place), only the first count holds: a stranger who
// fails elsewhere does not keep a user from signing in at home. Accounts that do not exist are
// counted like others. Sessions and API keys know nothing of all this.
//
// Counts are kept in memory; when a wait begins, it is written, so that it holds in all replicas
// and after a restart. A storm writes as often as it is let through, not as often as it tries.

#include <array>
#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/auth/session_store.hpp"

namespace synapsex::auth {

struct LockRule {
    std::int64_t failures_free;    // with the last of them the first wait begins
    std::chrono::seconds first;    // doubles with each failure …
    std::chrono::seconds longest;  // … up to this
    std::chrono::seconds fades;    // after so long one failure is forgotten
};

// An address is one place; of IPv6 a /64 is, since whoever has one has all of it.
std::string place_of(const std::string& address);

// Any thread.
class SignInLimits {
 public:
    static constexpr LockRule kPair{5, std::chrono::seconds{15}, std::chrono::minutes{15},
                                    std::chrono::minutes{15}};
    static constexpr LockRule kAccount{50, std::chrono::seconds{1}, std::chrono::minutes{1},
                                       std::chrono::minutes{1}};
    static constexpr LockRule kPlace{50, std::chrono::seconds{1}, std::chrono::minutes{1},
                                     std::chrono::minutes{1}};
    static constexpr std::size_t kCountsMax = 20'000;  // about 200 bytes each
    // Longer than any count takes to fade.
    static constexpr std::chrono::hours kForgottenAfter{4};

    SignInLimits(db::Database& database, const Clock& clock, std::size_t counts_max = kCountsMax)
        : database_(database), clock_(clock), counts_max_(counts_max) {}

    // Ids of the counts of pair, account and place.
    using Subject = std::array<std::string, 3>;
    static Subject subject_of(std::string_view email, const std::string& place);

    // What the database knows of a subject; for the transaction that reads the user.
    struct Known {
        std::vector<LockRow> locks;
        bool is_at_home = false;  // the user has a session at the place
    };

    // A try that is under way: it counts until it is known how it went.
    class Attempt {
     public:
        Attempt(SignInLimits& limits, Subject subject);
        Attempt(Attempt&& other) noexcept
            : limits_(std::exchange(other.limits_, nullptr)), subject_(std::move(other.subject_)) {}
        Attempt& operator=(Attempt&&) = delete;
        ~Attempt();

        // Forgets the failures of this pair.
        Result<Done> succeeded(const Call& call);
        Result<Done> failed(const Call& call);

     private:
        SignInLimits* limits_;
        Subject subject_;
    };
    // Kind::rate_limited auth.too_many_attempts, with Retry-After.
    Result<Attempt> enter(const Subject& subject, const Known& known);

    // Removes what has faded from the database.
    Result<Done> prune(const Call& call);
    std::size_t size() const;

 private:
    struct Count {
        std::string id;
        std::int64_t failures = 0;
        Timestamp failed_at{};
        int running = 0;
        bool is_stored = false;
    };
    using Counts = std::list<Count>;  // the longest unused first

    // nullptr: nothing is known of it, or only what a clock that was ahead has left.
    const Count* find(const std::string& id, Timestamp now) const;
    Count& count_of(const std::string& id);
    void adopt(const LockRow& row, Timestamp now);
    std::chrono::seconds wait_of(std::size_t which, const Count& count, Timestamp now) const;
    void release(const Subject& subject);

    db::Database& database_;
    const Clock& clock_;
    const std::size_t counts_max_;
    mutable std::mutex mutex_;
    Counts counts_;
    std::unordered_map<std::string, Counts::iterator> by_id_;
};

}  // namespace synapsex::auth
