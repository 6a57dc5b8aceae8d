#pragma once

// Takes messages out of an outbox: gives each its number, hands it to the consumers of its stream,
// removes it when all have committed it.
//
//   posted ─number─▶ numbered ─consume─▶ committed by a consumer ─note─▶ noted ─remove─▶ gone
//
// Messages move in bundles: posted are those of one commit and tenant, numbered those of one step
// and kind. It runs under a lease. Each step but `consume` is a transaction that holds the lease's
// fencing token, so a relay that was stopped and wakes up late changes nothing; what it hands on
// then, the consumer has had. It may die between any two steps.
//
// Messages of streams without a consumer are kept up to a number; the oldest steps beyond it go
// whole, and are counted. A message that a consumer is to have is never removed before.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "controlplane/platform/leases/lease.hpp"
#include "controlplane/platform/metrics.hpp"
#include "controlplane/platform/outbox/consumer.hpp"
#include "controlplane/platform/outbox/outbox_store.hpp"

namespace synapsex::outbox {

struct RelayLimits {
    // Messages in one transaction, and what comes in one bundle with the last of them.
    std::int64_t batch = 500;
    // Characters of them, and what comes in one bundle with the last of those.
    std::int64_t batch_size = 1024 * 1024;
    // All that is there; of that what nobody consumes goes, in whole steps, as long as this many
    // stay. Looked for when it was measured, and after a batch.
    std::int64_t kept_max = 100'000;
    std::chrono::seconds alarm_lag{60};
};

class Relay {
 public:
    struct Parts {  // all outlive the relay
        db::Database& database;
        const Clock& clock;
        Metrics& metrics;
        std::vector<Consumer*> consumers{};  // at most one for each stream
        RelayLimits limits{};
        // Told of each step that is done: for tests that end the process there.
        std::function<void(std::string_view step)> on_step = [](std::string_view) {};
    };

    // `name` is the label of the database in metrics.
    Relay(const Parts& parts, const std::string& name);

    // All that is there now, or as much as the deadline allows. A consumer that fails keeps its
    // messages and does not keep others from theirs; then the result is its Problem.
    Result<Done> run(const Call& call, const leases::Lease& lease);

    // Sets the gauges, on any replica; warns of what waits too long.
    Result<Done> measure(const Call& call);

 private:
    // One batch each: how many messages it was.
    Result<std::int64_t> number_earlier(const Call& call, const leases::Lease& lease);
    Result<std::int64_t> number(const Call& call, const leases::Lease& lease);
    Result<std::int64_t> deliver(const Call& call, const leases::Lease& lease, Consumer& consumer);
    // Of what may go, the oldest steps, `most` messages at most if it says so.
    Result<std::int64_t> remove(
        const Call& call, const leases::Lease& lease, const Through& through,
        std::optional<std::int64_t> most
    );
    Result<Done> remove_delivered(const Call& call, const leases::Lease& lease);
    Result<Done> remove_beyond_cap(const Call& call, const leases::Lease& lease);
    Result<std::int64_t> count(const Call& call);
    // Counting reads as many rows as the cap has: only after a measure that found too many, or
    // where a batch that was numbered since the last look may have gone beyond it.
    bool is_cap_due();
    // Up to where all consumers of each kind have come; one that is missing counts as `none`.
    Result<Through> find_through(const Call& call, std::int64_t none);
    Bundle batch_of(const std::vector<Bundle>& bundles) const;
    // fn(Session&) in a transaction that holds the lease.
    template <class T, class Fn>
    Result<T> fenced(const Call& call, const leases::Lease& lease, const Fn& fn);
    bool is_expired(const Call& call) const { return call.deadline.is_expired(parts_.clock); }

    const Parts parts_;
    Counter& numbered_;
    Counter& delivered_;
    Counter& dropped_;
    // Shared with the gauges, which may be read after the relay has gone.
    struct Levels {
        std::atomic<std::int64_t> kept{0};
        std::atomic<double> lag_seconds{0};
    };
    const std::shared_ptr<Levels> levels_ = std::make_shared<Levels>();
    std::atomic<bool> was_beyond_cap_{false};  // when it was measured
    std::atomic<bool> has_earlier_{true};      // may have: when it was measured
    std::int64_t numbered_since_look_ = 0;     // run's alone
    Through removed_{};                        // too: all that may go up to there has gone
};

}  // namespace synapsex::outbox
