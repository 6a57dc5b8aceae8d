#pragma once

// Who was refused what: an audit message for each credential and operation, at most one in a
// minute. Noted in memory while the refusal is answered, written behind: a refusal waits for no
// database and does not fail with it. A crash loses what was noted in the last second.

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/metrics.hpp"
#include "shared/base/random.hpp"

namespace synapsex::audit {

struct Denied {
    std::string operation;  // its id: "tenants.members.add"
    std::string scope;      // that it needs; empty: none
    std::string code;       // of the problem: "auth.scope_missing"
};

// Any thread.
class Denials {
 public:
    // After one was written, those that follow are counted for so long.
    static constexpr std::chrono::seconds kQuietFor{60};
    // Pairs of credential and operation in that time; those beyond are counted in a metric alone.
    static constexpr std::size_t kNotedMax = 1'000;

    Denials(db::Database& database, const Clock& clock, Random& random, Metrics& metrics);

    // `call` is of a known principal.
    void note(const Call& call, Denied denied);
    enum class Due { by_time, all };
    // Writes what is due. What could not be written stays noted, whether the write is refused or
    // throws.
    Result<Done> flush(const Call& call, Due due);

 private:
    using Key = std::tuple<TenantId, std::string, std::string>;  // tenant, credential, operation
    struct Pending {
        Call call;  // of the first
        Denied denied;
        Timestamp first_at{};
        Timestamp last_at{};
        std::int64_t count = 0;
    };
    struct Noted {
        std::optional<Pending> pending{};
        std::optional<SteadyTime> quiet_until{};
    };
    using Taken = std::map<Key, Pending>;

    Taken take(Due due);
    void note_again(Taken taken);
    Result<Done> write(const Call& call, const Taken& taken);

    db::Database& database_;
    const Clock& clock_;
    Random& random_;
    Counter& unrecorded_;
    std::mutex mutex_;
    std::map<Key, Noted> noted_;
};

}  // namespace synapsex::audit
