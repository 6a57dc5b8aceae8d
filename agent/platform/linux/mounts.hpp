#pragma once

// The local file systems on disks, from /proc/self/mountinfo and statvfs.
//
// Which: ext2-4, xfs, btrfs, zfs, f2fs, bcachefs, jfs, reiserfs, nilfs2, vfat, exfat, ntfs; and the
// overlay that is the root of a container. Not images that are full by nature (squashfs, iso9660),
// nor what lives in memory. A mount that lies below a network or user-space file system is left out
// as well: the way to it leads through a server that may hang, and a hung statvfs cannot be undone.
// The root itself is no reason: whatever it is, this agent runs from it.
//
// Each file system once, under its shortest mount point: bind mounts, btrfs subvolumes and the
// agent's own sandbox show the same one again. Mounts that another one covers are left out.

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/platform/linux/kernel_calls.hpp"
#include "agent/platform/linux/root.hpp"
#include "agent/platform/system_facts.hpp"

namespace synapsex::platform {

// One line of mountinfo (proc(5)).
struct Mount {
    std::uint64_t id = 0;
    std::string device_number;  // "254:1"
    std::string root;           // which directory of the file system is mounted
    std::string mount_point;
    std::string type;
    std::string source;
    bool read_only = false;  // by the options of the file system, not of the mount: the sandbox of
                             // a service sees read-only views of writable file systems
};

// nullopt for a line that does not have the form.
std::optional<Mount> parse_mount(std::string_view line);

// "\040" and its like, as mountinfo writes blanks, tabs, line breaks and backslashes.
std::string decode_octal_escapes(std::string_view text);

// In the order of their mount points.
std::vector<Filesystem> read_filesystems(const Root& root, KernelCalls& kernel, std::size_t max);

// Used share of the fullest writable one, as users meet it: used / (used + available).
std::uint32_t fullest_permille(const std::vector<Filesystem>& filesystems);

}  // namespace synapsex::platform
