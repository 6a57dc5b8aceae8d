// VmRegistry's half for telemetry: storing, reading and pruning samples.

#include "controlplane/services/vm_registry/telemetry.hpp"

#include <algorithm>
#include <charconv>

#include "controlplane/services/vm_registry/sample_chunk.hpp"
#include "controlplane/services/vm_registry/service.hpp"
#include "shared/base/log.hpp"

namespace synapsex::vm_registry {

namespace {

constexpr std::int64_t kPruneBatch = 500;
constexpr db::SystemScope kPrune{"vm_registry.prune_telemetry"};
constexpr std::int64_t kSlotsAnHour = 3600 / kSlotSeconds;

double percent(std::int64_t permille) { return static_cast<double>(permille) / 10; }
double hundredths(std::int64_t centi) { return static_cast<double>(centi) / 100; }

TelemetryPoint to_point(const TelemetrySample& sample) {
    return {
        .at = slot_start(sample.slot),
        .load1 = hundredths(sample.load1_centi),
        .load5 = hundredths(sample.load5_centi),
        .load15 = hundredths(sample.load15_centi),
        .cpu_busy_percent = percent(sample.cpu_busy_permille),
        .cpu_iowait_percent = percent(sample.cpu_iowait_permille),
        .cpu_steal_percent = percent(sample.cpu_steal_permille),
        .memory_total_bytes = sample.memory_total_bytes,
        .memory_available_bytes = sample.memory_available_bytes,
        .swap_total_bytes = sample.swap_total_bytes,
        .swap_used_bytes = sample.swap_used_bytes,
        .disk_read_bytes_per_second = sample.disk_read_bytes_per_second,
        .disk_write_bytes_per_second = sample.disk_write_bytes_per_second,
        .network_receive_bytes_per_second = sample.network_receive_bytes_per_second,
        .network_transmit_bytes_per_second = sample.network_transmit_bytes_per_second,
        .filesystem_used_percent_max = percent(sample.filesystem_used_permille_max),
        .processes = sample.processes,
        .uptime_seconds = sample.uptime_seconds,
    };
}

// nullopt, and a line in the log, for bytes that are damaged or of a newer release: one such row
// must not take the answers about all others down.
std::optional<std::vector<TelemetrySample>> read_chunk(const VmId& vm, const ChunkRow& chunk) {
    try {
        auto samples = unpack_samples(chunk.samples.bytes);
        for (const auto& sample : samples)
            if (chunk_of(sample.slot) != chunk.first_slot)
                throw BrokenChunk("a telemetry chunk has samples of another");
        return samples;
    } catch (const BrokenChunk& error) {
        log_warning(
            "telemetry chunk not readable", {{"vmId", vm.text()},
                                             {"firstSlot", chunk.first_slot},
                                             {"error", error.what()}}
        );
        return std::nullopt;
    }
}

// Returns how many of the samples, all of one chunk, were new.
std::size_t merge_into_chunk(
    VmStore& store, const TenantId& tenant, const VmId& vm, std::span<const TelemetrySample> added
) {
    const auto chunk = chunk_of(added.front().slot);
    std::vector<TelemetrySample> before;
    if (const auto stored = store.find_chunk(tenant, vm, chunk)) {
        if (auto samples = read_chunk(vm, *stored))
            before = *std::move(samples);
        else
            store.set_chunk_aside(tenant, vm, *stored);
    }
    const auto merged = merge_samples(before, added);
    if (merged.size() != before.size()) {
        const ChunkRow row{chunk, db::Blob{pack_samples(merged)}};
        store.put_chunk(tenant, vm, row);
    }
    return merged.size() - before.size();
}

Problem range_invalid() {
    return {
        Kind::invalid, "telemetry.range_invalid", "`from` is later than `to`.",
        {{"from", "too_large",
          "must not be later than `to`; left out, they are an hour ago and now"}}
    };
}

// The first slot that starts at the instant or after it.
std::int64_t slot_from(Timestamp instant) {
    const auto slot = slot_of(instant);
    return slot_start(slot) < instant ? slot + 1 : slot;
}

std::optional<std::int64_t> parse_slot(std::string_view text) {
    std::int64_t slot = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), slot);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (slot < 0 || slot > kSlotMax) return std::nullopt;
    return slot;
}

// The cursor of telemetry is the last slot that was shown.
Result<std::int64_t> slot_after(const std::optional<api::Cursor>& cursor, std::int64_t first) {
    SYNAPSEX_TRY(const std::string key, api::decode_cursor(cursor, [](std::string_view text) {
        return parse_slot(text).has_value();
    }));
    if (key.empty()) return first;
    return std::max(first, *parse_slot(key) + 1);
}

}  // namespace

std::optional<TelemetryPoint> latest_point(const VmId& vm, const ChunkRow& chunk) {
    const auto samples = read_chunk(vm, chunk);
    if (!samples || samples->empty()) return std::nullopt;
    return to_point(samples->back());
}

Result<TelemetryPage> VmRegistry::read_telemetry(const Call& call, const ReadTelemetry& wish) {
    const auto now_slot = slot_of(clock_.now());
    const auto first_instant = wish.from.value_or(slot_start(now_slot - kSlotsAnHour));
    const auto last_instant = wish.to.value_or(slot_start(now_slot + kSlotsAnHour));
    if (first_instant > last_instant) return range_invalid();
    const auto from = slot_from(first_instant);
    const auto to = slot_of(last_instant);
    SYNAPSEX_TRY(const std::int64_t first, slot_after(wish.cursor, from));
    const std::int64_t limit = wish.limit.value;

    // A chunk holds at least one sample, so limit + 2 chunks fill a page and show whether more
    // follow, also when the first of them starts before `first`.
    SYNAPSEX_TRY(
        const auto chunks,
        database_.read(call, [&](db::Session& session) -> Result<std::vector<ChunkRow>> {
            VmStore store{session};
            if (!store.find(call.tenant, wish.vm_id)) return no_such_vm();
            return store.list_chunks(call.tenant, wish.vm_id, chunk_of(first), to, limit + 2);
        })
    );
    TelemetryPage page;
    std::int64_t last_slot = 0;
    bool has_gap = false;
    for (const auto& chunk : chunks) {
        const auto samples = read_chunk(wish.vm_id, chunk);
        has_gap = has_gap || !samples;
        if (!samples) continue;
        for (const auto& sample : *samples) {
            if (sample.slot < first || sample.slot > to) continue;
            if (page.items.size() == static_cast<std::size_t>(limit)) {
                page.next_cursor = api::encode_cursor(std::to_string(last_slot));
                return page;
            }
            page.items.push_back(to_point(sample));
            last_slot = sample.slot;
        }
    }
    // Chunks that could not be read made the page shorter than what follows would have filled.
    if (has_gap && chunks.size() == static_cast<std::size_t>(limit + 2)) {
        const auto end = chunks.back().first_slot + kChunkSlots - 1;
        page.next_cursor = api::encode_cursor(std::to_string(end));
    }
    return page;
}

std::int64_t VmRegistry::prune(const Call& call) {
    const auto newest = database_.read(
        kPrune, call, [](db::Session& session) -> Result<std::optional<std::int64_t>> {
            return VmStore{session}.find_newest_slot();
        }
    );
    if (!newest || !*newest) return 0;
    // Not by the clock alone: one that is a month ahead would take all history away.
    const auto last = std::min(slot_of(clock_.now()), **newest + kChunkSlots - 1);
    const auto oldest = chunk_of(slot_of(slot_start(last) - kTelemetryRetention));
    std::int64_t total = 0;
    // In batches, so that heartbeats are written in between.
    const auto prune_batch = [&](db::Session& session) -> Result<std::int64_t> {
        return VmStore{session}.prune_chunks(oldest, kPruneBatch);
    };
    while (!call.deadline.is_expired(clock_)) {
        const auto pruned = database_.write(kPrune, call, prune_batch);
        if (!pruned) break;
        total += *pruned;
        if (*pruned < kPruneBatch) break;
    }
    return total;
}

std::vector<TelemetrySample> VmRegistry::keep_plausible(std::span<const TelemetrySample> samples) {
    const auto now = clock_.now();
    const auto oldest = slot_of(now - kTelemetryRetention);
    const auto newest = slot_of(now + kClockAheadMax);
    std::vector<TelemetrySample> kept;
    std::ranges::copy_if(samples, std::back_inserter(kept), [&](const TelemetrySample& sample) {
        return sample.slot >= oldest && sample.slot <= newest;
    });
    const auto dropped = samples.size() - kept.size();
    if (dropped > 0) {
        samples_dropped_.add(dropped);
        log_warning("telemetry out of time dropped", {{"samples", dropped}});
    }
    return kept;
}

Result<Taken> VmRegistry::store_samples(
    const Call& call, const TenantId& tenant, const VmId& vm,
    std::span<const TelemetrySample> samples
) {
    if (samples.size() > kSamplesMax ||
        !std::ranges::is_sorted(samples, std::ranges::less_equal{}, &TelemetrySample::slot))
        return Problem{
            Kind::invalid, "telemetry.not_ascending",
            "Telemetry has to be ascending by slot, each slot once, at most 1000 samples."
        };
    if (database_.room() != db::Room::plenty) return Taken::not_now;
    const auto kept = keep_plausible(samples);
    if (kept.empty()) return Taken::stored;
    SYNAPSEX_TRY(
        const std::size_t stored,
        database_.write(call, [&](db::Session& session) -> Result<std::size_t> {
            VmStore store{session};
            if (!store.find(tenant, vm)) return no_such_vm();
            std::size_t count = 0;
            for (auto begin = kept.begin(); begin != kept.end();) {
                const auto chunk = chunk_of(begin->slot);
                const auto end = std::ranges::find_if(begin, kept.end(), [&](const auto& sample) {
                    return chunk_of(sample.slot) != chunk;
                });
                count += merge_into_chunk(store, tenant, vm, std::span{begin, end});
                begin = end;
            }
            return count;
        })
    );
    samples_stored_.add(stored);
    return Taken::stored;
}

}  // namespace synapsex::vm_registry
