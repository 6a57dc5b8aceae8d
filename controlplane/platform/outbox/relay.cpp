#include "controlplane/platform/outbox/relay.hpp"

#include <algorithm>
#include <array>

#include "controlplane/platform/leases/lease_store.hpp"
#include "controlplane/platform/outbox/earlier_outbox.hpp"
#include "controlplane/platform/outbox/numbering.hpp"
#include "shared/base/log.hpp"

namespace synapsex::outbox {

namespace {

// Reads what others commit meanwhile, and holds what it took: nothing here depends on what was not
// there yet.
constexpr db::SystemScope kRelay{"outbox.relay", db::Isolation::claims};
constexpr db::SystemScope kMeasure{"outbox.measure"};

constexpr std::array kStreams{Stream::events, Stream::audit, Stream::usage};

// What a stream has messages of.
std::vector<std::int64_t*> kinds_of(Stream stream, Through& all) {
    switch (stream) {
        case Stream::events:
            return {&all.change, &all.event};
        case Stream::audit:
            return {&all.change, &all.audit};
        case Stream::usage:
            break;
    }
    return {&all.usage};
}

// Tells whether it is too many; where bundles hold one message each, whether by a batch.
std::int64_t most_counted(const RelayLimits& limits) { return limits.kept_max + limits.batch; }

// How many messages it was.
std::int64_t insert_step(OutboxStore& store, Numbering& step) {
    for (const auto& numbered : step.finish()) store.insert_numbered(numbered);
    store.set_head(step.head());
    return step.count();
}

Bundle all_of(const std::vector<Bundle>& bundles) {
    Bundle all;
    for (const auto& bundle : bundles) {
        all.through = bundle.through;
        all.messages += bundle.messages;
    }
    return all;
}

// The first of them that are `most` messages at most.
Bundle at_most(const std::vector<Bundle>& bundles, std::int64_t most) {
    Bundle taken;
    for (const auto& bundle : bundles) {
        if (taken.messages + bundle.messages > most) break;
        taken.through = bundle.through;
        taken.messages += bundle.messages;
    }
    return taken;
}

Result<Done> consume(
    Consumer& consumer, const Call& call, std::span<const NumberedMessage> messages
) {
    try {
        return consumer.consume(call, messages);
    } catch (const std::exception& error) {
        return Problem{Kind::internal, "outbox.consumer_failed", error.what()};
    }
}

}  // namespace

Relay::Relay(const Parts& parts, const std::string& name)
    : parts_(parts),
      numbered_(parts.metrics.counter(
          "synapsex_outbox_numbered_total", "Messages that got their number.",
          {{"database", name}}
      )),
      delivered_(parts.metrics.counter(
          "synapsex_outbox_delivered_total", "Messages that a consumer committed.",
          {{"database", name}}
      )),
      dropped_(parts.metrics.counter(
          "synapsex_outbox_dropped_total",
          "Messages that nobody consumes, removed because there were too many.",
          {{"database", name}}
      )) {
    parts.metrics.gauge(
        "synapsex_outbox_messages",
        "Messages in the outbox, those nobody consumes included; of more than " +
            std::to_string(most_counted(parts.limits)) + " maybe not all.",
        [levels = levels_] { return static_cast<double>(levels->kept.load()); },
        {{"database", name}}
    );
    parts.metrics.gauge(
        "synapsex_outbox_lag_seconds", "Age of the oldest message that waits for its consumer.",
        [levels = levels_] { return levels->lag_seconds.load(); }, {{"database", name}}
    );
}

template <class T, class Fn>
Result<T> Relay::fenced(const Call& call, const leases::Lease& lease, const Fn& fn) {
    return parts_.database.write(kRelay, call, [&](db::Session& session) -> Result<T> {
        if (!leases::LeaseStore{session}.fence(lease)) return leases::lease_lost();
        return fn(session);
    });
}

// The first of them, up to the limits of a batch.
Bundle Relay::batch_of(const std::vector<Bundle>& bundles) const {
    Bundle taken;
    for (const auto& bundle : bundles) {
        if (taken.messages >= parts_.limits.batch || taken.size >= parts_.limits.batch_size) break;
        taken.through = bundle.through;
        taken.messages += bundle.messages;
        taken.size += bundle.size;
    }
    return taken;
}

Result<Done> Relay::run(const Call& call, const leases::Lease& lease) {
    std::int64_t numbered = has_earlier_.exchange(false) ? 1 : 0;
    while (numbered > 0 && !is_expired(call)) {
        SYNAPSEX_TRY(numbered, number_earlier(call, lease));
    }
    for (numbered = 1; numbered > 0 && !is_expired(call);) {
        SYNAPSEX_TRY(numbered, number(call, lease));
    }
    Result<Done> outcome = Done{};
    for (auto* consumer : parts_.consumers) {
        Result<std::int64_t> delivered = 1;
        while (delivered && *delivered > 0 && !is_expired(call))
            delivered = deliver(call, lease, *consumer);
        if (!delivered) outcome = delivered.error();
    }
    SYNAPSEX_CHECK(remove_delivered(call, lease));
    SYNAPSEX_CHECK(remove_beyond_cap(call, lease));
    return outcome;
}

Result<std::int64_t> Relay::number_earlier(const Call& call, const leases::Lease& lease) {
    using Count = std::int64_t;
    SYNAPSEX_TRY(const auto count, fenced<Count>(call, lease, [&](db::Session& session) -> Count {
        OutboxStore store{session};
        Numbering step{store.get_head()};
        for (const auto& line : EarlierOutbox{session}.take(parts_.limits.batch)) step.add(line);
        return step.count() > 0 ? insert_step(store, step) : 0;
    }));
    numbered_.add(static_cast<std::uint64_t>(count));
    numbered_since_look_ += count;
    if (count > 0) parts_.on_step("moved");
    return count;
}

Result<std::int64_t> Relay::number(const Call& call, const leases::Lease& lease) {
    using Count = std::int64_t;
    SYNAPSEX_TRY(const auto count, fenced<Count>(call, lease, [&](db::Session& session) -> Count {
        OutboxStore store{session};
        const auto first = batch_of(store.list_posted(parts_.limits.batch));
        if (first.messages == 0) return 0;
        Numbering step{store.get_head()};
        for (const auto& posting : store.take_posted(first.through)) step.add(posting.lines);
        const auto numbered = insert_step(store, step);
        parts_.on_step("numbering");
        return numbered;
    }));
    numbered_.add(static_cast<std::uint64_t>(count));
    numbered_since_look_ += count;
    if (count > 0) parts_.on_step("numbered");
    return count;
}

Result<std::int64_t> Relay::deliver(
    const Call& call, const leases::Lease& lease, Consumer& consumer
) {
    struct Batch {
        std::int64_t through = 0;  // the end of its last step, which may be of another stream
        std::vector<NumberedMessage> messages;
    };
    const auto next = [&](db::Session& session) -> Batch {
        OutboxStore store{session};
        const auto cursor = store.find_cursor(consumer.name());
        const auto first =
            batch_of(store.list_after(consumer.stream(), cursor, parts_.limits.batch));
        return {first.through, store.read_after(consumer.stream(), cursor, first.through)};
    };
    SYNAPSEX_TRY(const auto batch, fenced<Batch>(call, lease, next));
    if (batch.messages.empty()) return 0;
    parts_.on_step("read");
    SYNAPSEX_CHECK(consume(consumer, call, batch.messages));
    parts_.on_step("consumed");
    SYNAPSEX_CHECK(fenced<Done>(call, lease, [&](db::Session& session) -> Done {
        OutboxStore{session}.set_cursor(consumer.name(), batch.through);
        return {};
    }));
    delivered_.add(batch.messages.size());
    parts_.on_step("noted");
    return static_cast<std::int64_t>(batch.messages.size());
}

Result<Through> Relay::find_through(const Call& call, std::int64_t none) {
    const auto find = [&](db::Session& session) -> Result<Through> {
        OutboxStore store{session};
        const auto head = store.get_head().sequence;
        Through all{.change = head, .event = head, .audit = head, .usage = head};
        for (const auto stream : kStreams) {
            const auto found = std::ranges::find(parts_.consumers, stream, &Consumer::stream);
            const bool has_consumer = found != parts_.consumers.end();
            const auto through = has_consumer ? store.find_cursor((*found)->name()) : none;
            for (auto* kind : kinds_of(stream, all)) *kind = std::min(*kind, through);
        }
        return all;
    };
    return parts_.database.read(kRelay, call, find);
}

Result<std::int64_t> Relay::remove(
    const Call& call, const leases::Lease& lease, const Through& through,
    std::optional<std::int64_t> most
) {
    using Count = std::int64_t;
    if (through.last() <= 0) return 0;
    SYNAPSEX_TRY(const auto count, fenced<Count>(call, lease, [&](db::Session& session) -> Count {
        OutboxStore store{session};
        const auto steps = store.list_removable(through, parts_.limits.batch);
        const auto oldest = most ? at_most(steps, *most) : all_of(steps);
        if (oldest.messages > 0) store.remove(through.up_to(oldest.through));
        return oldest.messages;
    }));
    if (count > 0) parts_.on_step("removed");
    return count;
}

Result<Done> Relay::remove_delivered(const Call& call, const leases::Lease& lease) {
    if (parts_.consumers.empty()) return Done{};
    SYNAPSEX_TRY(auto through, find_through(call, 0));
    through.after = through.first_new(removed_);
    if (through.after >= through.last()) return Done{};
    std::int64_t removed = 1;
    while (removed > 0 && !is_expired(call)) {
        SYNAPSEX_TRY(removed, remove(call, lease, through, std::nullopt));
    }
    if (removed == 0) removed_ = through;
    return Done{};
}

bool Relay::is_cap_due() {
    const bool may_be_beyond =
        numbered_since_look_ >= parts_.limits.batch &&
        levels_->kept + numbered_since_look_ > parts_.limits.kept_max;
    return was_beyond_cap_.exchange(false) || may_be_beyond;
}

Result<std::int64_t> Relay::count(const Call& call) {
    return parts_.database.read(kRelay, call, [&](db::Session& session) -> Result<std::int64_t> {
        return levels_->kept = OutboxStore{session}.count(most_counted(parts_.limits));
    });
}

Result<Done> Relay::remove_beyond_cap(const Call& call, const leases::Lease& lease) {
    if (!is_cap_due()) return Done{};
    numbered_since_look_ = 0;
    SYNAPSEX_TRY(const auto through, find_through(call, INT64_MAX));
    std::int64_t dropped = 0;
    while (!is_expired(call)) {
        SYNAPSEX_TRY(const auto kept, count(call));
        const auto too_many = kept - parts_.limits.kept_max;
        SYNAPSEX_TRY(const auto removed, remove(call, lease, through, too_many));
        if (removed == 0) break;
        dropped += removed;
        dropped_.add(static_cast<std::uint64_t>(removed));
    }
    if (dropped > 0)
        log_warning("outbox dropped messages that nobody consumes", {{"messages", dropped}});
    return Done{};
}

Result<Done> Relay::measure(const Call& call) {
    const auto now = parts_.clock.now();
    const auto look = [&](db::Session& session) -> Result<std::optional<Timestamp>> {
        OutboxStore store{session};
        levels_->kept = store.count(most_counted(parts_.limits));
        was_beyond_cap_ = levels_->kept > parts_.limits.kept_max;
        has_earlier_ = !EarlierOutbox{session}.is_empty();
        auto oldest = store.find_oldest_posted();
        for (const auto* consumer : parts_.consumers) {
            const auto cursor = store.find_cursor(consumer->name());
            const auto waiting = store.find_oldest_after(consumer->stream(), cursor);
            if (waiting && (!oldest || *waiting < *oldest)) oldest = waiting;
        }
        return oldest;
    };
    SYNAPSEX_TRY(const auto oldest, parts_.database.read(kMeasure, call, look));
    const auto lag = oldest ? std::max(now - *oldest, std::chrono::microseconds{0})
                            : std::chrono::microseconds{0};
    levels_->lag_seconds = std::chrono::duration<double>{lag}.count();
    if (lag > parts_.limits.alarm_lag)
        return Problem{
            Kind::unavailable, "outbox.lags",
            "The oldest message waits for " +
                std::to_string(std::chrono::round<std::chrono::seconds>(lag).count()) + " s."
        };
    return Done{};
}

}  // namespace synapsex::outbox
