#pragma once

// Looks at the machine and gives a section within limits.hpp, in a stable order, with steady values
// (steady_values.hpp): two looks at an unchanged machine are equal.
//
// Cadence: the worker collects the sections about once a minute and sends those whose hash has
// changed. A section for which may_have_changed() is false need not be looked at: the package list,
// by far the dearest, is read again only after the package manager has written its database.
//
// Used by one thread at a time.

#include <chrono>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/platform/system_facts.hpp"
#include "agent/plugins/inventory/limits.hpp"
#include "agent/plugins/inventory/sections.hpp"
#include "shared/base/time.hpp"

namespace synapsex::inventory {

class InventoryCollector {
 public:
    // Processors and memory come and go too seldom to be looked at each minute.
    static constexpr std::chrono::hours kSeldom{1};

    // `facts` and `clock` outlive the collector.
    InventoryCollector(platform::SystemFacts& facts, const Clock& clock)
        : facts_(facts), clock_(clock) {}

    Section collect(SectionName name);
    // Since the section was last collected. Cheap.
    bool may_have_changed(SectionName name);

 private:
    Section collect_os();
    Section collect_cpu();
    Section collect_disks();
    Section collect_filesystems();
    Section collect_network();
    Section collect_packages();
    void hold_still(std::vector<platform::Filesystem>& filesystems) const;

    platform::SystemFacts& facts_;
    const Clock& clock_;
    std::map<SectionName, SteadyTime> look_again_at_;
    // As last reported.
    std::optional<std::int64_t> booted_at_us_;
    std::vector<platform::Filesystem> filesystems_;
    std::optional<platform::PackageStamp> package_stamp_;
};

}  // namespace synapsex::inventory
