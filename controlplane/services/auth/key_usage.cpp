#include "controlplane/services/auth/key_usage.hpp"

#include "controlplane/services/auth/store.hpp"

namespace synapsex::auth {

void KeyUsage::note(const TenantId& tenant, const ApiKeyId& key) {
    const auto minute = std::chrono::floor<std::chrono::minutes>(clock_.now());
    const std::lock_guard lock{mutex_};
    if (noted_.size() >= kNotedMax && !noted_.contains({tenant, key})) return;
    noted_[{tenant, key}] = minute;
}

Result<Done> KeyUsage::flush(const Call& call) {
    Noted noted;
    {
        const std::lock_guard lock{mutex_};
        noted.swap(noted_);
    }
    if (noted.empty()) return Done{};
    const auto written = database_.write(call, [&](db::Session& session) -> Result<Done> {
        AuthStore store{session};
        for (const auto& [key, at] : noted) store.set_last_used(key.first, key.second, at);
        return Done{};
    });
    if (!written) {
        const std::lock_guard lock{mutex_};
        noted_.merge(noted);  // what is newer stays
    }
    return written;
}

}  // namespace synapsex::auth
