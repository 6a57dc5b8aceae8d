#pragma once

// SystemFacts of Linux: gathers what the readers beside it find below one root.

#include <memory>

#include "agent/platform/linux/kernel_calls.hpp"
#include "agent/platform/linux/root.hpp"
#include "agent/platform/system_facts.hpp"

namespace synapsex::platform {

class LinuxSystemFacts final : public SystemFacts {
 public:
    LinuxSystemFacts(const std::string& root, std::unique_ptr<KernelCalls> kernel);

    std::string boot_id() override;
    Reading take_reading() override;
    Os os() override;
    Cpu cpu() override;
    Memory memory() override;
    std::vector<Disk> disks(std::size_t max) override;
    std::vector<Filesystem> filesystems(std::size_t max) override;
    std::vector<NetworkInterface> interfaces(std::size_t max) override;
    std::string visit_packages(const PackageVisitor& visit) override;
    PackageStamp package_stamp() override;

 private:
    Root root_;
    std::unique_ptr<KernelCalls> kernel_;
};

}  // namespace synapsex::platform
