#include "controlplane/platform/leases/lease_store.hpp"

#include <array>

namespace synapsex::leases {

namespace {

using db::Query;

// One statement, so that two that come at once cannot both read that the role is free. A new token
// is the time in microseconds, or one more than the last: greater also than what was given before
// an older copy of the database was restored.
constexpr Query kAcquire{"leases.acquire", R"sql(
    INSERT INTO platform_leases (name, holder, token, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO UPDATE SET
        token = CASE
            WHEN platform_leases.holder = excluded.holder AND platform_leases.expires_at > $3
            THEN platform_leases.token
            WHEN platform_leases.token >= $3 THEN platform_leases.token + 1 ELSE $3 END,
        holder = excluded.holder, expires_at = excluded.expires_at
    WHERE platform_leases.holder = excluded.holder OR platform_leases.expires_at <= $3
    RETURNING token)sql"};

// A pair: the lock of the row keeps others from taking the role until the transaction ends, and
// lets the holder's own transactions run side by side. SQLite has one writer anyway.
constexpr Query kFence{
    "leases.fence",
    R"sql(
    SELECT token FROM platform_leases WHERE name = $1 AND token = $2 AND expires_at > $3)sql",
    R"sql(
    SELECT token FROM platform_leases WHERE name = $1 AND token = $2 AND expires_at > $3
    FOR SHARE)sql"};

constexpr Query kRelease{"leases.release", R"sql(
    UPDATE platform_leases SET expires_at = 0 WHERE name = $1 AND token = $2)sql"};

constexpr std::array kQueries{&kAcquire, &kFence, &kRelease};

}  // namespace

Problem lease_lost() {
    return {Kind::conflict, "lease.lost", "The lease was lost; nothing was changed."};
}

std::span<const Query* const> LeaseStore::queries() { return kQueries; }

std::optional<Lease> LeaseStore::acquire(
    std::string_view name, std::string_view holder, std::chrono::milliseconds ttl
) {
    const auto now = session_.now();
    const auto rows = session_.query(kAcquire, name, holder, now, now + ttl);
    if (rows.empty()) return std::nullopt;
    return Lease{std::string{name}, rows[0].get<std::int64_t>("token")};
}

bool LeaseStore::fence(const Lease& lease) {
    return !session_.query(kFence, lease.name, lease.token, session_.now()).empty();
}

void LeaseStore::release(const Lease& lease) {
    session_.execute(kRelease, lease.name, lease.token);
}

}  // namespace synapsex::leases
