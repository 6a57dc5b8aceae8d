#include "controlplane/services/auth/principal_cache.hpp"

#include <algorithm>
#include <cstring>

#include "shared/crypto/hash.hpp"

namespace synapsex::auth {

namespace {
// Longer than any id or slug: no such choice has ever been right, so none is looked for.
constexpr std::size_t kTenantChoiceMax = 64;
}  // namespace

PrincipalCache::PrincipalCache(const Clock& clock, std::size_t entries_max)
    : clock_(clock), shard_entries_max_(std::max<std::size_t>(entries_max / kShards, 1)) {}

std::size_t PrincipalCache::KeyHash::operator()(const Key& key) const {
    // A digest is evenly spread already; tenants follow a credential that proved itself.
    std::size_t hash = 0;
    std::memcpy(&hash, key.digest.data(), sizeof hash);
    return key.tenant.empty() ? hash : hash ^ std::hash<std::string>{}(key.tenant);
}

PrincipalCache::Key PrincipalCache::key_of(const Credential& credential) {
    return {crypto::sha256(credential.secret), credential.tenant};
}

PrincipalCache::Shard& PrincipalCache::shard_of(const Key& key) {
    return shards_[static_cast<unsigned char>(key.digest.back()) % kShards];
}

void PrincipalCache::Shard::erase(std::list<Entry>::iterator entry) {
    by_key.erase(entry->key);
    entries.erase(entry);
}

std::shared_ptr<const Principal> PrincipalCache::find(const Credential& credential) {
    if (credential.tenant.size() > kTenantChoiceMax) return nullptr;
    const auto key = key_of(credential);
    auto& shard = shard_of(key);
    const std::lock_guard lock{shard.mutex};
    const auto found = shard.by_key.find(key);
    if (found == shard.by_key.end()) return nullptr;
    if (clock_.steady_now() < found->second->expires_at) return found->second->principal;
    shard.erase(found->second);
    return nullptr;
}

void PrincipalCache::put(
    const Credential& credential,
    std::shared_ptr<const Principal> principal,
    SteadyTime expires_at,
    Epoch read_in
) {
    if (expires_at <= clock_.steady_now() || credential.tenant.size() > kTenantChoiceMax) return;
    auto key = key_of(credential);
    auto& shard = shard_of(key);
    const std::lock_guard lock{shard.mutex};
    // Under the lock: a revocation that comes now raises the epoch first and then waits for it.
    if (epoch_.load() != read_in) return;
    if (const auto known = shard.by_key.find(key); known != shard.by_key.end())
        shard.erase(known->second);
    if (shard.entries.size() >= shard_entries_max_) shard.erase(shard.entries.begin());
    const auto entry = shard.entries.insert(
        shard.entries.end(), Entry{std::move(key), std::move(principal), expires_at}
    );
    shard.by_key.emplace(entry->key, entry);
}

template <class Matches>
void PrincipalCache::forget(Matches matches) {
    epoch_.fetch_add(1);
    for (auto& shard : shards_) {
        const std::lock_guard lock{shard.mutex};
        for (auto entry = shard.entries.begin(); entry != shard.entries.end();) {
            const auto next = std::next(entry);
            if (matches(*entry->principal)) shard.erase(entry);
            entry = next;
        }
    }
}

void PrincipalCache::forget_credential(std::string_view credential_id) {
    forget([&](const Principal& principal) { return principal.credential_id == credential_id; });
}

void PrincipalCache::forget_agent(const AgentId& agent) {
    forget([&](const Principal& principal) { return principal.agent == agent; });
}

void PrincipalCache::forget_member(const TenantId& tenant, const UserId& user) {
    forget([&](const Principal& principal) {
        return principal.user == user && principal.tenant == tenant;
    });
}

void PrincipalCache::forget_tenant(const TenantId& tenant) {
    forget([&](const Principal& principal) { return principal.tenant == tenant; });
}

std::size_t PrincipalCache::size() const {
    std::size_t size = 0;
    for (const auto& shard : shards_) {
        const std::lock_guard lock{shard.mutex};
        size += shard.entries.size();
    }
    return size;
}

}  // namespace synapsex::auth
