#pragma once

// Which disks and network interfaces count, and the bytes that went through them.
//
// Traffic is counted where it leaves the machine and nowhere else, so that nothing counts twice:
//
// Disks: the entries of /sys/block with a device behind them. Partitions are not in /sys/block;
// loop, ram, zram, dm (LVM, crypt, multipath) and md devices have no device, and what they move
// shows on the disks below them. The hidden paths of an NVMe multipath disk, floppies and optical
// drives are left out. Without /sys there are no disks: names alone do not tell a disk from a part.
//
// Interfaces: those of /sys/class/net with a device behind them, which leaves out lo, bridges,
// veth, tap, bond, vlan and tunnels. An interface whose master is such an interface itself is left
// out too (Azure's accelerated networking: the virtual NIC counts what its SR-IOV twin moved). If
// nothing has a device (a container), it is every interface but lo, bridges, ports of bridges and
// tun/tap; if there is no /sys at all, every one but lo.

#include <string>
#include <vector>

#include "agent/platform/linux/root.hpp"
#include "agent/platform/system_facts.hpp"

namespace synapsex::platform {

bool is_whole_disk(const Root& root, const std::string& name);
bool is_physical_link(const Root& root, const std::string& name);

std::vector<DeviceCounters> read_disk_counters(const Root& root);
std::vector<DeviceCounters> read_link_counters(const Root& root);

// Whole disks with something in them: an empty card reader is left out.
std::vector<Disk> read_disks(const Root& root, std::size_t max);

}  // namespace synapsex::platform
