#include "controlplane/services/vm_registry/service.hpp"

#include <algorithm>
#include <limits>

#include "controlplane/platform/api/codec.hpp"
#include "controlplane/services/vm_registry/store.hpp"
#include "controlplane/services/vm_registry/telemetry.hpp"
#include "shared/base/log.hpp"
#include "shared/crypto/agent_statements.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::vm_registry {

namespace {

constexpr db::SystemScope kSetPresence{"vm_registry.set_presence"};

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
    if (latest) summary.latest = latest_point(row.vm_id, *latest);
    return summary;
}

// nullopt, and a line in the log, for a body that is damaged or of a newer release.
template <class T>
std::optional<T> read_body(const VmId& vm, const SectionBodyRow& row) {
    auto body = api::Codec<T>::read_json(row.body, api::Unknown::ignore);
    if (body) return *std::move(body);
    log_warning(
        "inventory section not readable", {{"vmId", vm.text()},
                                           {"section", enum_name(row.section)},
                                           {"error", body.error().detail}}
    );
    return std::nullopt;
}

void add_section(Inventory& inventory, const VmId& vm, const SectionBodyRow& row) {
    switch (row.section) {
        case SectionName::os: inventory.os = read_body<Os>(vm, row); break;
        case SectionName::cpu: inventory.cpu = read_body<Cpu>(vm, row); break;
        case SectionName::memory: inventory.memory = read_body<Memory>(vm, row); break;
        case SectionName::disks:
            inventory.disks = read_body<Disks>(vm, row).value_or(Disks{}).disks;
            break;
        case SectionName::filesystems:
            inventory.filesystems =
                read_body<Filesystems>(vm, row).value_or(Filesystems{}).filesystems;
            break;
        case SectionName::network:
            inventory.network = read_body<Network>(vm, row).value_or(Network{}).interfaces;
            break;
        case SectionName::packages: break;  // a list of its own
    }
}

// Sizes are what the agent says: their sum may be more than there are numbers.
Problem older_section() {
    return {
        Kind::conflict, "inventory.older",
        "The section that is stored was signed later than this one."
    };
}

Problem unsigned_section() {
    return {
        Kind::not_found, "inventory.unsigned",
        "The agent has reported no such section, or a release that did not sign."
    };
}

std::string key_id_of(const std::string& public_key) {
    return crypto::ed25519_key_id(crypto::from_base64url(public_key).value_or(""));
}

std::string package_key(const Package& package) {
    return package.name.value + "\n" + package.architecture.value;
}

bool is_package_key(std::string_view text) { return text.find('\n') != text.npos; }

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
        store.update_disks(tenant, vm, total_size(disks), now);
    }
    void operator()(const Packages& packages) const {
        const auto count = static_cast<std::int64_t>(packages.packages.size());
        store.update_packages(tenant, vm, count, now);
    }
    void operator()(const Filesystems&) const {}
    void operator()(const Network&) const {}
};

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
    SYNAPSEX_TRY(const std::string after, api::decode_id_cursor<VmId>(wish.cursor));
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
            auto& info = vm.reported.sections.emplace_back();
            info.section = section.section;
            info.hash = section.hash;
            info.truncated = section.truncated;
            info.updated_at = section.updated_at;
            info.signed_at = section.signed_at;
            if (section.signed_at) info.key_id = key_id_of(section.public_key);
        }
        for (const auto& body : store.list_short_bodies(call.tenant, path.vm_id))
            add_section(vm.reported, path.vm_id, body);
        return vm;
    });
}

Result<PackagePage> VmRegistry::list_packages(const Call& call, const ListPackages& wish) {
    SYNAPSEX_TRY(const std::string after, api::decode_cursor(wish.cursor, is_package_key));
    SYNAPSEX_TRY(
        auto packages,
        database_.read(call, [&](db::Session& session) -> Result<Packages> {
            VmStore store{session};
            if (!store.find(call.tenant, wish.vm_id)) return no_such_vm();
            const auto row = store.find_body(call.tenant, wish.vm_id, SectionName::packages);
            if (!row) return Packages{};
            return read_body<Packages>(wish.vm_id, *row).value_or(Packages{});
        })
    );
    // Sorted here and not where it is stored: the order of a list is this list's matter. Packages
    // of one name (several architectures) are told apart by the key.
    std::ranges::sort(packages.packages, {}, package_key);
    PackagePage page;
    for (auto& package : packages.packages) {
        if (wish.prefix && !package.name.value.starts_with(wish.prefix->value)) continue;
        if (!after.empty() && package_key(package) <= after) continue;
        page.items.push_back(std::move(package));
        if (page.items.size() > static_cast<std::size_t>(wish.limit.value.value)) break;
    }
    page.next_cursor = api::cut_page(page.items, wish.limit.value, package_key);
    return page;
}

Result<SignedSection> VmRegistry::signed_section(const Call& call, const SectionPath& path) {
    return database_.read(call, [&](db::Session& session) -> Result<SignedSection> {
        VmStore store{session};
        const auto vm = store.find(call.tenant, path.vm_id);
        if (!vm) return no_such_vm();
        const auto row = store.find_signature(call.tenant, path.vm_id, path.section);
        if (!row) return unsigned_section();
        const auto statement = crypto::statement_of(crypto::SectionReport{
            .agent_id = vm->agent_id.text(),
            .section = enum_name(path.section),
            .signed_at_us = to_micros(*row->signed_at),
            .content = row->content.bytes,
        });
        return SignedSection{
            .vm_id = path.vm_id,
            .agent_id = vm->agent_id,
            .section = path.section,
            .signed_at = *row->signed_at,
            .key_id = key_id_of(row->public_key),
            .public_key = row->public_key,
            .statement = statement,
            .signature = row->signature,
            .content = crypto::to_base64url(row->content.bytes),
        };
    });
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
    const SectionSignatureRow signature{
        section.signature.signed_at,
        crypto::to_base64url(section.signature.public_key),
        crypto::to_base64url(section.signature.signature),
        db::Blob{section.signature.content},
    };
    return database_.write(call, [&](db::Session& session) -> Result<Done> {
        VmStore store{session};
        if (!store.find(tenant, vm)) return no_such_vm();
        const auto stored = store.find_signed_at(tenant, vm, section.name);
        if (stored && *stored > section.signature.signed_at && *stored <= now + kSigningSkewMax)
            return older_section();
        store.put_section(tenant, vm, row, json);
        store.put_signature(tenant, vm, section.name, signature);
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
            if (row.signed_at) hashes.emplace(enum_name(row.section), row.hash);
        return hashes;
    });
}

Result<Done> VmRegistry::set_presence(const Call& call, std::span<const Presence> changes) {
    return database_.write(kSetPresence, call, [&](db::Session& session) -> Result<Done> {
        VmStore store{session};
        const auto now = session.now();
        for (const auto& change : changes) store.set_presence(change, now);
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
