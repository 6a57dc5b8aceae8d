#pragma once

// Who a credential is, remembered for some seconds: what keeps a database read and a check of the
// signature (about 100 us) off nearly every request. Bounded; the oldest entry goes first.
//
// The key is the SHA-256 of the credential, so that a dump of memory gives no credential away and
// the time that a look-up takes says nothing about the credentials in it. The tenant choice stands
// beside it as it came.

#include <array>
#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "controlplane/platform/auth/authenticator.hpp"

namespace synapsex::auth {

// Any thread. A look-up costs one SHA-256 and one short lock.
class PrincipalCache {
 public:
    // How many revocations this process has seen.
    using Epoch = std::uint64_t;

    PrincipalCache(const Clock& clock, std::size_t entries_max);

    // nullptr if it is not known, or not any more.
    std::shared_ptr<const Principal> find(const Credential& credential);

    // Taken before the database is read …
    Epoch epoch() const { return epoch_.load(); }
    // … and given back here: what was read before a revocation is not remembered after it.
    void put(
        const Credential& credential,
        std::shared_ptr<const Principal> principal,
        SteadyTime expires_at,
        Epoch read_in
    );

    // A key, or a session.
    void forget_credential(std::string_view credential_id);
    void forget_agent(const AgentId& agent);
    void forget_member(const TenantId& tenant, const UserId& user);
    void forget_tenant(const TenantId& tenant);

    std::size_t size() const;

 private:
    struct Key {
        std::string digest;
        std::string tenant;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const;
    };
    struct Entry {
        Key key;
        std::shared_ptr<const Principal> principal;
        SteadyTime expires_at;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::list<Entry> entries;  // oldest first
        std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> by_key;

        void erase(std::list<Entry>::iterator entry);
    };
    static constexpr std::size_t kShards = 16;

    static Key key_of(const Credential& credential);
    Shard& shard_of(const Key& key);
    template <class Matches>
    void forget(Matches matches);

    const Clock& clock_;
    const std::size_t shard_entries_max_;
    std::atomic<Epoch> epoch_{0};
    std::array<Shard, kShards> shards_;
};

}  // namespace synapsex::auth
