#include "controlplane/services/vm_registry/service.hpp"

#include <algorithm>
#include <charconv>

#include "controlplane/platform/api/codec.hpp"
#include "controlplane/services/vm_registry/sample_chunk.hpp"
#include "controlplane/services/vm_registry/store.hpp"
#include "shared/base/log.hpp"

namespace synapsex::vm_registry {

namespace {

constexpr std::int64_t kPruneBatch = 500;
constexpr std::int64_t kSlotsAnHour = 3600 / kSlotSeconds;

Problem no_such_vm() { return {Kind::not_found, "vms.not_found", "There is no such VM."}; }

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

VmSummary to_summary(const VmRow& row, const std::optional<ChunkRow>& latest) {
    VmSummary summary{
        .id = row.vm_id,
        .agent_id = row.agent_id,
        .name = row.name,
        .state = row.state,
        .last_seen_at = row.last_seen_at,
        .os = row.os,
        .kernel = row.kernel,
        .architecture = row.architecture,
        .cpu_threads = row.cpu_threads,
        .memory_total_bytes = row.memory_total_bytes,
        .disk_total_bytes = row.disk_total_bytes,
        .packages = row.packages,
        .latest = {},
        .created_at = row.created_at,
        .updated_at = row.updated_at,
    };
    if (latest) {
        const auto samples = unpack_samples(latest->samples.bytes);
        if (!samples.empty()) summary.latest = to_point(samples.back());
    }
    return summary;
}

template <class T>
T read_body(const std::string& body) {
    return api::Codec<T>::read_json(body, api::Unknown::ignore).value();
}

void add_section(Inventory& inventory, const SectionBodyRow& row) {
    switch (row.section) {
        case SectionName::os: inventory.os = read_body<Os>(row.body); break;
        case SectionName::cpu: inventory.cpu = read_body<Cpu>(row.body); break;
        case SectionName::memory: inventory.memory = read_body<Memory>(row.body); break;
        case SectionName::disks: inventory.disks = read_body<Disks>(row.body).disks; break;
        case SectionName::filesystems:
            inventory.filesystems = read_body<Filesystems>(row.body).filesystems;
            break;
        case SectionName::network:
            inventory.network = read_body<Network>(row.body).interfaces;
            break;
        case SectionName::packages: break;  // a list of its own
    }
}

// What a list of VMs repeats of a section.
struct SummaryUpdate {
    VmStore& store;
    const TenantId& tenant;
    const VmId& vm;
    Timestamp now;

    void operator()(const Os& os) const { store.update_os(tenant, vm, os, now); }
    void operator()(const Cpu& cpu) const {
        store.update_cpu_threads(tenant, vm, cpu.threads, now);
    }
    void operator()(const Memory& memory) const {
        store.update_memory(tenant, vm, memory.total_bytes, now);
    }
    void operator()(const Disks& disks) const {
        std::int64_t total = 0;
        for (const auto& disk : disks.disks) total += disk.size_bytes;
        store.update_disks(tenant, vm, total, now);
    }
    void operator()(const Packages& packages) const {
        const auto count = static_cast<std::int64_t>(packages.packages.size());
        store.update_packages(tenant, vm, count, now);
    }
    void operator()(const Filesystems&) const {}
    void operator()(const Network&) const {}
};

// The first slot that starts at the instant or after it.
std::int64_t slot_from(Timestamp instant) {
    const auto slot = slot_of(instant);
    return slot_start(slot) < instant ? slot + 1 : slot;
}

// The cursor of telemetry is the last slot that was shown.
Result<std::int64_t> slot_after(const std::optional<api::Cursor>& cursor, std::int64_t first) {
    SYNAPSEX_TRY(const std::string key, api::decode_cursor(cursor));
    if (key.empty()) return first;
    std::int64_t slot = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), slot);
    if (error != std::errc{} || end != key.data() + key.size() || slot < 0)
        return api::decode_cursor(api::Cursor{"?"}).error();
    return std::max(first, slot + 1);
}

}  // namespace

VmRegistry::VmRegistry(db::Database& database, const Clock& clock, Metrics& metrics)
    : database_(database),
      clock_(clock),
      samples_stored_(metrics.counter(
          "synapsex_telemetry_samples_stored_total", "Telemetry samples committed."
      )),
      samples_dropped_(metrics.counter(
          "synapsex_telemetry_samples_dropped_total",
          "Telemetry samples refused: of the future, or past the retention."
      )) {}

VmSummary VmRegistry::summary_of(
    const VmRow& row, const std::optional<ChunkRow>& latest
) const {
    auto summary = to_summary(row, latest);
    if (const auto seen = last_seen_ ? last_seen_(row.vm_id) : std::nullopt)
        summary.last_seen_at = seen;
    return summary;
}

Result<VmPage> VmRegistry::list(const Call& call, const ListVms& wish) {
    SYNAPSEX_TRY(const std::string after, api::decode_cursor(wish.cursor));
    const VmFilter filter{
        .after_vm_id = after,
        .state = wish.state ? std::string{enum_name(*wish.state)} : std::string{},
        .name = wish.name ? wish.name->value : std::string{},
    };
    return database_.read(call, [&](db::Session& session) -> Result<VmPage> {
        VmStore store{session};
        auto rows = store.list(call.tenant, filter, wish.limit.value + 1);
        VmPage page;
        page.next_cursor = api::cut_page(rows, wish.limit.value, [](const VmRow& row) {
            return row.vm_id.text();
        });
        for (const auto& row : rows)
            page.items.push_back(
                summary_of(row, store.find_latest_chunk(call.tenant, row.vm_id))
            );
        return page;
    });
}

Result<Vm> VmRegistry::get(const Call& call, const VmPath& path) {
    return database_.read(call, [&](db::Session& session) -> Result<Vm> {
        VmStore store{session};
        const auto row = store.find(call.tenant, path.vm_id);
        if (!row) return no_such_vm();
        Vm vm;
        static_cast<VmSummary&>(vm) =
            summary_of(*row, store.find_latest_chunk(call.tenant, path.vm_id));
        for (const auto& section : store.list_sections(call.tenant, path.vm_id)) {
            const SectionInfo info{
                section.section, section.hash, section.truncated, section.updated_at
            };
            vm.reported.sections.push_back(info);
        }
        for (const auto& body : store.list_short_bodies(call.tenant, path.vm_id))
            add_section(vm.reported, body);
        return vm;
    });
}

Result<PackagePage> VmRegistry::list_packages(const Call& call, const ListPackages& wish) {
    SYNAPSEX_TRY(const std::string after, api::decode_cursor(wish.cursor));
    SYNAPSEX_TRY(
        auto packages,
        database_.read(call, [&](db::Session& session) -> Result<Packages> {
            VmStore store{session};
            if (!store.find(call.tenant, wish.vm_id)) return no_such_vm();
            const auto row = store.find_body(call.tenant, wish.vm_id, SectionName::packages);
            return row ? read_body<Packages>(row->body) : Packages{};
        })
    );
    // Sorted here and not where it is stored: the order of a list is this list's matter. Packages
    // of one name (several architectures) are told apart by the key.
    const auto key_of = [](const Package& package) {
        return package.name + "\n" + package.architecture;
    };
    std::ranges::sort(packages.packages, {}, key_of);
    PackagePage page;
    for (auto& package : packages.packages) {
        if (wish.prefix && !package.name.starts_with(wish.prefix->value)) continue;
        if (!after.empty() && key_of(package) <= after) continue;
        page.items.push_back(std::move(package));
        if (page.items.size() > static_cast<std::size_t>(wish.limit.value.value)) break;
    }
    page.next_cursor = api::cut_page(page.items, wish.limit.value, key_of);
    return page;
}

Result<TelemetryPage> VmRegistry::read_telemetry(const Call& call, const ReadTelemetry& wish) {
    const auto now_slot = slot_of(clock_.now());
    const auto from = wish.from ? slot_from(*wish.from) : now_slot - kSlotsAnHour;
    const auto to = wish.to ? slot_of(*wish.to) : now_slot + kSlotsAnHour;
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
    for (const auto& chunk : chunks) {
        for (const auto& sample : unpack_samples(chunk.samples.bytes)) {
            if (sample.slot < first || sample.slot > to) continue;
            if (page.items.size() == static_cast<std::size_t>(limit)) {
                page.next_cursor = api::encode_cursor(std::to_string(last_slot));
                return page;
            }
            page.items.push_back(to_point(sample));
            last_slot = sample.slot;
        }
    }
    return page;
}

Result<Watching> VmRegistry::watch(const Call& call, const WatchVm& wish) {
    SYNAPSEX_CHECK(database_.read(call, [&](db::Session& session) -> Result<Done> {
        if (!VmStore{session}.find(call.tenant, wish.vm_id)) return no_such_vm();
        return Done{};
    }));
    const auto now = clock_.now();
    const auto until = now + std::chrono::seconds{wish.seconds.value.value};
    bool is_new = false;
    {
        const std::lock_guard lock{mutex_};
        std::erase_if(live_until_, [&](const auto& entry) { return entry.second <= now; });
        auto& entry = live_until_[wish.vm_id];
        is_new = entry <= now;
        entry = std::max(entry, until);
    }
    if (is_new && on_watched_) on_watched_(wish.vm_id);
    return Watching{live_until(wish.vm_id)};
}

std::int64_t VmRegistry::prune(const Call& call) {
    const auto oldest = chunk_of(slot_of(clock_.now() - kTelemetryRetention));
    std::int64_t total = 0;
    // In batches, so that heartbeats are written in between.
    const auto prune_batch = [&](db::Session& session) -> Result<std::int64_t> {
        return VmStore{session}.prune_chunks(oldest, kPruneBatch);
    };
    while (!call.deadline.is_expired(clock_)) {
        const auto pruned = database_.write(call, prune_batch);
        if (!pruned) break;
        total += *pruned;
        if (*pruned < kPruneBatch) break;
    }
    return total;
}

Result<Done> VmRegistry::create_vm(const Call& call, const NewVm& vm) {
    const auto now = clock_.now();
    return database_.write(call, [&](db::Session& session) -> Result<Done> {
        VmStore{session}.insert(vm, now);
        return Done{};
    });
}

Result<Done> VmRegistry::delete_vm(const Call& call, const TenantId& tenant, const VmId& vm) {
    return database_.write(call, [&](db::Session& session) -> Result<Done> {
        VmStore{session}.remove(tenant, vm);
        return Done{};
    });
}

Result<Done> VmRegistry::rename_vm(
    const Call& call, const TenantId& tenant, const VmId& vm, std::string_view name
) {
    const auto now = clock_.now();
    return database_.write(call, [&](db::Session& session) -> Result<Done> {
        if (!VmStore{session}.rename(tenant, vm, name, now)) return no_such_vm();
        return Done{};
    });
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

Result<Done> VmRegistry::store_samples(
    const Call& call, const TenantId& tenant, const VmId& vm,
    std::span<const TelemetrySample> samples
) {
    if (samples.size() > kSamplesMax ||
        !std::ranges::is_sorted(samples, std::ranges::less_equal{}, &TelemetrySample::slot))
        return Problem{
            Kind::invalid, "telemetry.not_ascending",
            "Telemetry has to be ascending by slot, each slot once, at most 1000 samples."
        };
    const auto kept = keep_plausible(samples);
    if (kept.empty()) return Done{};
    return database_.write(call, [&](db::Session& session) -> Result<Done> {
        VmStore store{session};
        if (!store.find(tenant, vm)) return no_such_vm();
        for (auto begin = kept.begin(); begin != kept.end();) {
            const auto chunk = chunk_of(begin->slot);
            const auto end = std::ranges::find_if(begin, kept.end(), [&](const auto& sample) {
                return chunk_of(sample.slot) != chunk;
            });
            const auto stored = store.find_chunk(tenant, vm, chunk);
            const auto before = stored ? unpack_samples(stored->samples.bytes)
                                       : std::vector<TelemetrySample>{};
            const auto merged = merge_samples(before, std::span{begin, end});
            if (merged.size() != before.size()) {
                const ChunkRow row{chunk, db::Blob{pack_samples(merged)}};
                store.put_chunk(tenant, vm, row);
                samples_stored_.add(merged.size() - before.size());
            }
            begin = end;
        }
        return Done{};
    });
}

Result<Done> VmRegistry::put_section(
    const Call& call, const TenantId& tenant, const VmId& vm, const Section& section
) {
    const auto now = clock_.now();
    std::string json;
    std::visit(
        [&](const auto& body) {
            api::Codec<std::remove_cvref_t<decltype(body)>>::write_json(body, json);
        },
        section.body
    );
    const SectionRow row{section.name, section.hash, section.truncated, now};
    return database_.write(call, [&](db::Session& session) -> Result<Done> {
        VmStore store{session};
        if (!store.find(tenant, vm)) return no_such_vm();
        store.put_section(tenant, vm, row, json);
        std::visit(SummaryUpdate{store, tenant, vm, now}, section.body);
        return Done{};
    });
}

Result<std::map<std::string, std::string>> VmRegistry::section_hashes(
    const Call& call, const TenantId& tenant, const VmId& vm
) {
    using Hashes = std::map<std::string, std::string>;
    return database_.read(call, [&](db::Session& session) -> Result<Hashes> {
        Hashes hashes;
        for (const auto& row : VmStore{session}.list_sections(tenant, vm))
            hashes.emplace(enum_name(row.section), row.hash);
        return hashes;
    });
}

Result<Done> VmRegistry::set_presence(const Call& call, std::span<const Presence> changes) {
    return database_.write(call, [&](db::Session& session) -> Result<Done> {
        VmStore store{session};
        for (const auto& change : changes) store.set_presence(change);
        return Done{};
    });
}

Timestamp VmRegistry::live_until(const VmId& vm) {
    const std::lock_guard lock{mutex_};
    const auto found = live_until_.find(vm);
    return found == live_until_.end() ? Timestamp{} : found->second;
}

void VmRegistry::on_watched(std::function<void(const VmId&)> callback) {
    on_watched_ = std::move(callback);
}

}  // namespace synapsex::vm_registry
