#include "agent/platform/linux/devices.hpp"

#include <algorithm>

#include "agent/platform/linux/fields.hpp"
#include "agent/platform/linux/line_reader.hpp"

namespace synapsex::platform {
namespace {

constexpr std::uint64_t kSectorBytes = 512;  // in these files, whatever the disk's own size
constexpr std::size_t kDevicesMax = 4096;

// Names are parts of paths below: none may lead elsewhere.
bool is_plain_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

std::string last_component(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

// Of the line "   8  0 sda 1 2 3 …": reads completed, merged, sectors read, milliseconds, then the
// same of writes.
std::optional<DeviceCounters> parse_diskstats_line(std::string_view line) {
    std::string_view rest{line};
    next_field(rest);
    next_field(rest);
    const auto name = next_field(rest);
    if (!is_plain_name(name)) return std::nullopt;
    next_field(rest);
    next_field(rest);
    const auto sectors_read = next_number(rest);
    next_field(rest);
    next_field(rest);
    next_field(rest);
    const auto sectors_written = next_number(rest);
    if (!sectors_read || !sectors_written) return std::nullopt;
    return DeviceCounters{
        std::string{name},
        multiply_capped(*sectors_read, kSectorBytes),
        multiply_capped(*sectors_written, kSectorBytes)
    };
}

// Of the line "  eth0: 1 2 …", also "eth0:1 2" when the number is wide: bytes, then seven more
// counters of the receiving side, then bytes of the transmitting side.
std::optional<DeviceCounters> parse_net_dev_line(std::string_view line) {
    const auto colon = line.rfind(':');  // an alias "eth0:1" has one in its name
    if (colon == std::string_view::npos) return std::nullopt;
    const auto name = trim(line.substr(0, colon));
    std::string_view rest{line.substr(colon + 1)};
    const auto received = next_number(rest);
    for (int i = 0; i < 7; ++i) next_field(rest);
    const auto transmitted = next_number(rest);
    if (!is_plain_name(name) || !received || !transmitted) return std::nullopt;
    return DeviceCounters{std::string{name}, *received, *transmitted};
}

// In a network namespace without devices of its own.
bool is_outermost_link(const Root& root, const std::string& name) {
    const auto path = "sys/class/net/" + name;
    return name != "lo" && !root.exists(path + "/bridge") && !root.exists(path + "/brport") &&
           !root.exists(path + "/tun_flags");
}

bool has_device(const Root& root, const std::string& link) {
    return root.exists("sys/class/net/" + link + "/device");
}

Disk read_disk(const Root& root, const std::string& name) {
    const auto path = "sys/block/" + name;
    auto model = root.read_value(path + "/device/model");
    if (model.empty()) model = root.read_value(path + "/device/name");  // MMC and SD cards
    return {
        .name = name,
        .size_bytes = multiply_capped(root.read_number(path + "/size").value_or(0), kSectorBytes),
        .model = std::move(model),
        .rotational = root.read_number(path + "/queue/rotational") == 1U,
        .removable = root.read_number(path + "/removable") == 1U
    };
}

}  // namespace

bool is_whole_disk(const Root& root, const std::string& name) {
    constexpr std::uint64_t kScsiOpticalDrive = 5;
    const auto path = "sys/block/" + name;
    if (!is_plain_name(name) || !root.exists(path + "/device")) return false;
    if (root.read_number(path + "/hidden") == 1U) return false;
    if (root.read_number(path + "/device/type") == kScsiOpticalDrive) return false;
    return !(name.size() == 3 && name.starts_with("fd") && is_digit(name[2]));
}

bool is_physical_link(const Root& root, const std::string& name) {
    if (!is_plain_name(name) || !has_device(root, name)) return false;
    const auto master = last_component(root.read_link("sys/class/net/" + name + "/master"));
    return master.empty() || !has_device(root, master);
}

std::vector<DeviceCounters> read_disk_counters(const Root& root) {
    std::vector<DeviceCounters> counters;
    LineReader lines{root.open("proc/diskstats")};
    while (const auto line = lines.next()) {
        auto disk = parse_diskstats_line(*line);
        if (disk && is_whole_disk(root, disk->name)) counters.push_back(std::move(*disk));
        if (counters.size() == kDevicesMax) break;
    }
    return counters;
}

std::vector<DeviceCounters> read_link_counters(const Root& root) {
    std::vector<DeviceCounters> all;
    LineReader lines{root.open("proc/net/dev")};
    while (const auto line = lines.next()) {
        auto link = parse_net_dev_line(*line);
        if (link && link->name != "lo") all.push_back(std::move(*link));
        if (all.size() == kDevicesMax) break;
    }
    const bool has_physical = std::any_of(all.begin(), all.end(), [&](const auto& link) {
        return is_physical_link(root, link.name);
    });
    std::erase_if(all, [&](const auto& link) {
        return has_physical ? !is_physical_link(root, link.name)
                            : !is_outermost_link(root, link.name);
    });
    return all;
}

std::vector<Disk> read_disks(const Root& root, std::size_t max) {
    std::vector<Disk> disks;
    for (const auto& name : root.list("sys/block")) {
        if (disks.size() == max) break;
        if (!is_whole_disk(root, name)) continue;
        auto disk = read_disk(root, name);
        if (disk.size_bytes != 0) disks.push_back(std::move(disk));
    }
    return disks;
}

}  // namespace synapsex::platform
