#pragma once

// When API keys were last used, to the minute. Noted in memory while a request is authenticated,
// written behind by a sweep: no request waits for it. A crash loses at most what the sweep had not
// written yet.

#include <map>
#include <mutex>
#include <utility>

#include "controlplane/platform/db/database.hpp"

namespace synapsex::auth {

// Any thread.
class KeyUsage {
 public:
    // More keys than that in one interval are not noted.
    static constexpr std::size_t kNotedMax = 10'000;

    KeyUsage(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

    void note(const TenantId& tenant, const ApiKeyId& key);
    // Writes what was noted since the last flush; at most one row changes for a key in a minute.
    // What could not be written is noted again, whether the write is refused or throws.
    Result<Done> flush(const Call& call);

 private:
    using Noted = std::map<std::pair<TenantId, ApiKeyId>, Timestamp>;

    void note_again(Noted noted);

    db::Database& database_;
    const Clock& clock_;
    std::mutex mutex_;
    Noted noted_;
};

}  // namespace synapsex::auth
