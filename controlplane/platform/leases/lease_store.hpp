#pragma once

// Roles that one replica at a time plays: the relay, a sweep. Whoever holds a role holds it until a
// time of the database's clock; replicas' own clocks decide nothing.
//
// A process may be stopped for longer than its lease and go on without having noticed. So what the
// holder changes it changes under its token (a fencing token):
//
//   database.write(kScope, call, [&](db::Session& session) -> Result<Done> {
//       if (!LeaseStore{session}.fence(lease)) return lease_lost();
//       …
//   });
//
// Tokens grow for good, also past a restore of an older copy of the database: see docs/decisions/
// 0020-backups.md.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/leases/lease.hpp"

namespace synapsex::leases {

class LeaseStore {
 public:
    explicit LeaseStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // The role for `ttl` from now on: with a new token if nobody holds it, with the same one if
    // this holder does. nullopt while another holds it. A holder is a process, not a machine.
    std::optional<Lease> acquire(
        std::string_view name, std::string_view holder, std::chrono::milliseconds ttl
    );
    // Whether the lease is held still. If so nobody else gets it before the transaction has ended.
    bool fence(const Lease& lease);
    // Free for others at once. Nothing happens if it is lost already.
    void release(const Lease& lease);

 private:
    db::Session& session_;
};

}  // namespace synapsex::leases
