#pragma once

// A machine made of members, for the tests of whatever looks at machines.

#include <algorithm>

#include "agent/platform/system_facts.hpp"

namespace synapsex::platform {

class FakeSystemFacts final : public SystemFacts {
 public:
    struct Package {
        std::string name;
        std::string version;
        std::string architecture;
    };

    std::string boot_id() override { return boot; }
    Reading take_reading() override { return reading; }
    Os os() override { return the_os; }
    Cpu cpu() override { return the_cpu; }
    Memory memory() override { return the_memory; }
    std::vector<Disk> disks(std::size_t max) override { return first(the_disks, max); }
    std::vector<Filesystem> filesystems(std::size_t max) override {
        return first(the_filesystems, max);
    }
    std::vector<NetworkInterface> interfaces(std::size_t max) override {
        return first(the_interfaces, max);
    }
    std::string visit_packages(const PackageVisitor& visit) override {
        ++package_visits;
        for (const auto& each : packages) visit({each.name, each.version, each.architecture});
        return package_manager;
    }
    PackageStamp package_stamp() override { return stamp; }

    std::string boot = "6f1c1f9e-0000-4000-8000-000000000001";
    Reading reading;
    Os the_os;
    Cpu the_cpu;
    Memory the_memory;
    std::vector<Disk> the_disks;
    std::vector<Filesystem> the_filesystems;
    std::vector<NetworkInterface> the_interfaces;
    std::string package_manager = "dpkg";
    std::vector<Package> packages;
    PackageStamp stamp;
    int package_visits = 0;

 private:
    template <class T>
    static std::vector<T> first(std::vector<T> all, std::size_t max) {
        all.resize(std::min(all.size(), max));
        return all;
    }
};

}  // namespace synapsex::platform
