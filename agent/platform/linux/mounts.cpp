#include "agent/platform/linux/mounts.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "agent/platform/linux/fields.hpp"
#include "agent/platform/linux/line_reader.hpp"

namespace synapsex::platform {
namespace {

constexpr std::size_t kMountsMax = 16'384;

constexpr std::array<std::string_view, 17> kLocalTypes{
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "msdos", "nilfs2", "ntfs",
    "ntfs3", "reiserfs", "ufs", "vfat", "xfs", "zfs"
};

// Of the kernel alone, so a path may lead through them. autofs belongs here: walking to what is
// mounted on it triggers nothing.
constexpr std::array<std::string_view, 32> kKernelTypes{
    "autofs", "aufs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset", "debugfs",
    "devpts", "devtmpfs", "efivarfs", "erofs", "fusectl", "hugetlbfs", "iso9660", "mqueue", "nfsd",
    "nsfs", "overlay", "proc", "pstore", "ramfs", "rootfs", "rpc_pipefs", "securityfs", "selinuxfs",
    "squashfs", "sysfs", "tmpfs", "tracefs", "udf"
};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_local(const Mount& mount) {
    return contains(kLocalTypes, mount.type) ||
           (mount.type == "overlay" && mount.mount_point == "/");
}

bool may_hang(const Mount& mount) {
    return !contains(kLocalTypes, mount.type) && !contains(kKernelTypes, mount.type);
}

bool is_same_or_below(std::string_view path, std::string_view directory) {
    if (directory == "/") return true;
    if (!path.starts_with(directory)) return false;
    return path.size() == directory.size() || path[directory.size()] == '/';
}

bool has_option(std::string_view options, std::string_view wanted) {
    while (!options.empty()) {
        const auto comma = options.find(',');
        if (options.substr(0, comma) == wanted) return true;
        if (comma == std::string_view::npos) return false;
        options.remove_prefix(comma + 1);
    }
    return false;
}

struct MountTable {
    std::vector<Mount> local;
    std::vector<std::string> dangerous;  // mount points of what may hang
};

MountTable read_mounts(const Root& root) {
    MountTable table;
    LineReader lines{root.open("proc/self/mountinfo")};
    for (std::size_t count = 0; count < kMountsMax; ++count) {
        const auto line = lines.next();
        if (!line) break;
        auto mount = parse_mount(*line);
        if (!mount) continue;
        // There is no way around the root, whatever it is (virtiofs, 9p): this program came from
        // it.
        if (may_hang(*mount) && mount->mount_point != "/")
            table.dangerous.push_back(std::move(mount->mount_point));
        else if (is_local(*mount))
            table.local.push_back(std::move(*mount));
    }
    std::erase_if(table.local, [&](const Mount& mount) {
        return std::any_of(table.dangerous.begin(), table.dangerous.end(), [&](const auto& above) {
            return is_same_or_below(mount.mount_point, above);
        });
    });
    return table;
}

// The mounts of one file system side by side, the one to show first.
void sort_by_device(std::vector<Mount>& mounts) {
    const auto rank = [](const Mount& mount) {
        return std::make_tuple(
            std::string_view{mount.device_number},
            mount.root != "/",
            mount.mount_point.size(),
            std::string_view{mount.mount_point}
        );
    };
    std::stable_sort(mounts.begin(), mounts.end(), [&](const Mount& left, const Mount& right) {
        return rank(left) < rank(right);
    });
}

Filesystem describe(const Mount& mount, const FilesystemUse& use) {
    return {
        .mount_point = mount.mount_point,
        .device = mount.source,
        .type = mount.type,
        .size_bytes = use.size_bytes,
        .used_bytes = subtract_floored(use.size_bytes, use.free_bytes),
        .available_bytes = use.available_bytes,
        .inodes = use.inodes,
        .inodes_used = subtract_floored(use.inodes, use.inodes_free),
        .read_only = mount.read_only
    };
}

}  // namespace

std::string decode_octal_escapes(std::string_view text) {
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_escape = text[i] == '\\' && i + 3 < text.size() && text[i + 1] <= '3' &&
                               is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
                               is_octal(text[i + 3]);
        if (!is_escape) {
            decoded += text[i];
            continue;
        }
        const int code = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
        decoded += static_cast<char>(code);
        i += 3;
    }
    return decoded;
}

// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue": after the
// options comes any number of fields that end at the single "-".
std::optional<Mount> parse_mount(std::string_view line) {
    std::string_view rest{line};
    Mount mount;
    const auto id = next_number(rest);
    const auto parent = next_number(rest);
    mount.device_number = next_field(rest);
    mount.root = decode_octal_escapes(next_field(rest));
    mount.mount_point = decode_octal_escapes(next_field(rest));
    next_field(rest);
    auto field = next_field(rest);
    while (!field.empty() && field != "-") field = next_field(rest);
    mount.type = next_field(rest);
    mount.source = decode_octal_escapes(next_field(rest));
    mount.read_only = has_option(next_field(rest), "ro");
    if (!id || !parent || mount.type.empty() || !mount.mount_point.starts_with('/'))
        return std::nullopt;
    mount.id = *id;
    return mount;
}

std::vector<Filesystem> read_filesystems(const Root& root, KernelCalls& kernel, std::size_t max) {
    auto mounts = read_mounts(root).local;
    sort_by_device(mounts);
    std::vector<Filesystem> filesystems;
    const std::string* shown_device = nullptr;
    for (const auto& mount : mounts) {
        if (shown_device && *shown_device == mount.device_number) continue;
        const auto use = kernel.filesystem_use(mount.mount_point, mount.id);
        if (!use || use->size_bytes == 0) continue;
        shown_device = &mount.device_number;
        filesystems.push_back(describe(mount, *use));
    }
    std::sort(filesystems.begin(), filesystems.end(), [](const auto& left, const auto& right) {
        return left.mount_point < right.mount_point;
    });
    if (filesystems.size() > max) filesystems.resize(max);
    return filesystems;
}

std::uint32_t fullest_permille(const std::vector<Filesystem>& filesystems) {
    std::uint32_t fullest = 0;
    for (const auto& each : filesystems) {
        if (each.read_only || each.used_bytes == 0) continue;
        const auto used = static_cast<double>(each.used_bytes);
        const auto share = used / (used + static_cast<double>(each.available_bytes));
        fullest = std::max(fullest, static_cast<std::uint32_t>(share * 1000));
    }
    return fullest;
}

}  // namespace synapsex::platform
