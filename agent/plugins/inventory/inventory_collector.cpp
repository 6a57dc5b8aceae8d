#include "agent/plugins/inventory/inventory_collector.hpp"

#include <algorithm>

#include "agent/plugins/inventory/steady_values.hpp"

namespace synapsex::inventory {
namespace {

// What an element takes in its message beside its texts, at most.
constexpr std::size_t kElementBytes = 64;

// The first kPackagesMax in the order of packages, whatever order they come in and however many.
class FirstPackages {
 public:
    FirstPackages() { packages_.reserve(kPackagesMax); }

    void add(const platform::PackageView& view) {
        if (packages_.size() < kPackagesMax) {
            packages_.push_back(limited(view));
            // Once there are as many as allowed, the last of them stands in front, to go first.
            if (packages_.size() == kPackagesMax)
                std::make_heap(packages_.begin(), packages_.end());
            return;
        }
        limiter_.note_loss();
        auto package = limited(view);
        if (packages_.front() < package) return;
        std::pop_heap(packages_.begin(), packages_.end());
        packages_.back() = std::move(package);
        std::push_heap(packages_.begin(), packages_.end());
    }

    std::vector<Package> take() {
        std::sort(packages_.begin(), packages_.end());
        limiter_.limit_bytes(packages_, [](const Package& each) {
            return kElementBytes + each.name.size() + each.version.size() +
                   each.architecture.size();
        });
        return std::move(packages_);
    }

    bool has_lost() const { return limiter_.has_lost(); }

 private:
    Package limited(const platform::PackageView& view) {
        Package package{
            std::string{view.name}, std::string{view.version}, std::string{view.architecture}
        };
        limiter_.limit(package.name, kNameBytesMax);
        limiter_.limit(package.version, kVersionBytesMax);
        limiter_.limit(package.architecture, kWordBytesMax);
        return package;
    }

    std::vector<Package> packages_;
    Limiter limiter_;
};

void limit_texts(platform::NetworkInterface& interface, Limiter& limiter) {
    limiter.limit(interface.name, kNameBytesMax);
    limiter.limit(interface.mac, kWordBytesMax);
    limiter.limit(interface.state, kWordBytesMax);
    limiter.limit_count(interface.addresses, kAddressesMax);
    for (auto& address : interface.addresses) limiter.limit(address, kWordBytesMax);
}

std::size_t size_of(const platform::NetworkInterface& interface) {
    std::size_t bytes = kElementBytes + interface.name.size() + interface.mac.size() +
                        interface.state.size();
    for (const auto& address : interface.addresses) bytes += 2 + address.size();
    return bytes;
}

}  // namespace

Section InventoryCollector::collect(SectionName name) {
    if (name == SectionName::cpu || name == SectionName::memory)
        look_again_at_[name] = clock_.steady_now() + kSeldom;
    switch (name) {
        case SectionName::os: return collect_os();
        case SectionName::cpu: return collect_cpu();
        case SectionName::memory: return {.content = facts_.memory()};
        case SectionName::disks: return collect_disks();
        case SectionName::filesystems: return collect_filesystems();
        case SectionName::network: return collect_network();
        case SectionName::packages: break;
    }
    return collect_packages();
}

bool InventoryCollector::may_have_changed(SectionName name) {
    if (clock_.steady_now() < look_again_at_[name]) return false;
    return name != SectionName::packages || package_stamp_ != facts_.package_stamp();
}

Section InventoryCollector::collect_os() {
    auto os = facts_.os();
    Limiter limiter;
    for (auto* text : {&os.id, &os.version_id, &os.pretty_name, &os.kernel_release, &os.hostname,
                       &os.timezone})
        limiter.limit(*text, kNameBytesMax);
    for (auto* text : {&os.architecture, &os.machine_id_hash, &os.virtualization})
        limiter.limit(*text, kWordBytesMax);
    os.booted_at_us = steady_boot_time(os.booted_at_us, booted_at_us_);
    booted_at_us_ = os.booted_at_us;
    return {.content = std::move(os), .truncated = limiter.has_lost()};
}

Section InventoryCollector::collect_cpu() {
    auto cpu = facts_.cpu();
    Limiter limiter;
    limiter.limit(cpu.model, kNameBytesMax);
    return {.content = std::move(cpu), .truncated = limiter.has_lost()};
}

Section InventoryCollector::collect_disks() {
    // One more than allowed is asked for, here and below, to see whether there is more.
    Disks section{facts_.disks(kDisksMax + 1)};
    Limiter limiter;
    limiter.limit_count(section.disks, kDisksMax);
    for (auto& disk : section.disks) {
        limiter.limit(disk.name, kNameBytesMax);
        limiter.limit(disk.model, kNameBytesMax);
    }
    return {.content = std::move(section), .truncated = limiter.has_lost()};
}

Section InventoryCollector::collect_filesystems() {
    Filesystems section{facts_.filesystems(kFilesystemsMax + 1)};
    auto& filesystems = section.filesystems;
    Limiter limiter;
    limiter.limit_count(filesystems, kFilesystemsMax);
    for (auto& each : filesystems) {
        limiter.limit(each.mount_point, kPathBytesMax);
        limiter.limit(each.device, kPathBytesMax);
        limiter.limit(each.type, kWordBytesMax);
    }
    limiter.limit_bytes(filesystems, [](const platform::Filesystem& each) {
        return kElementBytes + each.mount_point.size() + each.device.size() + each.type.size();
    });
    hold_still(filesystems);
    filesystems_ = filesystems;
    return {.content = std::move(section), .truncated = limiter.has_lost()};
}

void InventoryCollector::hold_still(std::vector<platform::Filesystem>& filesystems) const {
    for (auto& each : filesystems) {
        const auto reported =
            std::find_if(filesystems_.begin(), filesystems_.end(), [&](const auto& other) {
                return other.mount_point == each.mount_point && other.device == each.device &&
                       other.size_bytes == each.size_bytes && other.inodes == each.inodes;
            });
        std::optional<std::uint64_t> used;
        std::optional<std::uint64_t> inodes_used;
        if (reported != filesystems_.end()) {
            used = reported->used_bytes;
            inodes_used = reported->inodes_used;
        }
        each.used_bytes = steady_use(each.used_bytes, each.size_bytes, used);
        each.inodes_used = steady_use(each.inodes_used, each.inodes, inodes_used);
        each.available_bytes = 0;  // moves like the use and is no part of the section
    }
}

Section InventoryCollector::collect_network() {
    Network section{facts_.interfaces(kInterfacesMax + 1)};
    Limiter limiter;
    limiter.limit_count(section.interfaces, kInterfacesMax);
    for (auto& interface : section.interfaces) limit_texts(interface, limiter);
    limiter.limit_bytes(section.interfaces, size_of);
    return {.content = std::move(section), .truncated = limiter.has_lost()};
}

Section InventoryCollector::collect_packages() {
    // Before the database is read: a change during the reading makes it worth another look.
    package_stamp_ = facts_.package_stamp();
    FirstPackages first;
    Packages section;
    section.manager = facts_.visit_packages([&](const auto& view) { first.add(view); });
    section.packages = first.take();
    return {.content = std::move(section), .truncated = first.has_lost()};
}

}  // namespace synapsex::inventory
