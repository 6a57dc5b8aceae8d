#include "controlplane/services/auth/key_usage.hpp"

#include "controlplane/services/auth/store.hpp"

namespace synapsex::auth {

namespace {

constexpr db::SystemScope kWriteKeyUsage{"auth.write_key_usage"};

}  // namespace

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
    try {
        auto written = database_.write(
            kWriteKeyUsage, call, [&](db::Session& session) -> Result<Done> {
                AuthStore store{session};
                for (const auto& [key, at] : noted) store.set_last_used(key.first, key.second, at);
                return Done{};
            }
        );
        if (!written) note_again(std::move(noted));
        return written;
    } catch (...) {
        note_again(std::move(noted));
        throw;
    }
}

void KeyUsage::note_again(Noted noted) {
    const std::lock_guard lock{mutex_};
    // What was noted meanwhile is newer and stays.
    while (!noted.empty() && noted_.size() < kNotedMax)
        noted_.insert(noted.extract(noted.begin()));
}

}  // namespace synapsex::auth
