#pragma once

// Durable work that one worker at a time does: deliveries, timers, attempts. What the work is
// stands in a table of the queue's owner; here is only its id, when it is due, and who is at it.
//
//   add ──▶ due ──claim──▶ claimed ──finish──▶ gone
//            ▲               │ put_back (later), or the worker is gone and its claim has ended
//            └───────────────┘
//
// Claims are taken in a transaction of their own, in a scope with db::Isolation::claims; what the
// work changes is changed together with finish or put_back, which say whether the claim was still
// held. Work is done at least once, its effects in the database exactly once.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "shared/base/describe.hpp"

namespace synapsex::leases {

struct WorkItem {
    std::string item;
    std::int64_t token = 0;  // of the claim: 1 for the first attempt, one more for each further
};
BOOST_DESCRIBE_STRUCT(WorkItem, (), (item, token))

// A queue is named "<service>.<what>".
class WorkItems {
 public:
    static constexpr std::int64_t kClaimMax = 200;

    explicit WorkItems(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // Due after `delay`. False if the queue has the item already; it stays as it is then.
    bool add(std::string_view queue, std::string_view item, std::chrono::milliseconds delay);
    // At most `limit` (up to kClaimMax) items that are due, for `ttl`, the longest due first. Many
    // may claim at once; each item goes to one of them.
    std::vector<WorkItem> claim(
        std::string_view queue, std::string_view holder, std::chrono::milliseconds ttl,
        std::int64_t limit
    );
    // Whether the claim was still held; if not, nothing has changed, and the transaction is to be
    // undone: another may be at it.
    bool finish(std::string_view queue, const WorkItem& item);
    bool put_back(std::string_view queue, const WorkItem& item, std::chrono::milliseconds delay);
    // For work that takes longer: the claim ends `ttl` from now.
    bool extend(std::string_view queue, const WorkItem& item, std::chrono::milliseconds ttl);

    std::int64_t count(std::string_view queue);

 private:
    db::Session& session_;
};

}  // namespace synapsex::leases
