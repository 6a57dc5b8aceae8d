#pragma once

// The inventory: seven sections, each sent by itself and only when its hash has changed. The
// members mirror the messages of shared/proto/agent/v1/agent.proto;
// agent/transport/inventory_codec.hpp makes them into bytes and hashes.

#include <boost/describe/enum.hpp>
#include <string>
#include <variant>
#include <vector>

#include "agent/platform/system_facts.hpp"

namespace synapsex::inventory {

// The names are the path parameter of PUT /v1/agents/{agentId}/inventory/{section}.
enum class SectionName { os, cpu, memory, disks, filesystems, network, packages };
BOOST_DESCRIBE_ENUM(SectionName, os, cpu, memory, disks, filesystems, network, packages)

struct Disks {
    std::vector<platform::Disk> disks;

    friend bool operator==(const Disks&, const Disks&) = default;
};

struct Filesystems {
    std::vector<platform::Filesystem> filesystems;

    friend bool operator==(const Filesystems&, const Filesystems&) = default;
};

struct Network {
    std::vector<platform::NetworkInterface> interfaces;

    friend bool operator==(const Network&, const Network&) = default;
};

struct Package {
    std::string name;
    std::string version;
    std::string architecture;

    friend auto operator<=>(const Package&, const Package&) = default;
};

struct Packages {
    std::string manager;  // "dpkg"; empty: none that we know
    std::vector<Package> packages;

    friend bool operator==(const Packages&, const Packages&) = default;
};

// Each list is in the order of its elements' names, so that the same machine has the same hash.
struct Section {
    // In the order of SectionName.
    using Content = std::variant<
        platform::Os, platform::Cpu, platform::Memory, Disks, Filesystems, Network, Packages>;

    Content content;
    bool truncated = false;  // a list or a text was longer than limits.hpp allows

    SectionName name() const { return static_cast<SectionName>(content.index()); }
    friend bool operator==(const Section&, const Section&) = default;
};

}  // namespace synapsex::inventory
