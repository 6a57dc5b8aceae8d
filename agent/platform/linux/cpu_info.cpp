#include "agent/platform/linux/cpu_info.hpp"

#include <algorithm>
#include <array>

#include "agent/platform/linux/fields.hpp"
#include "agent/platform/linux/line_reader.hpp"

namespace synapsex::platform {
namespace {

constexpr std::uint64_t kArm = 0x41;
constexpr std::size_t kProcessorsMax = 8192;
constexpr std::uint64_t kUnstated = ~0ULL;

// The ARM cores that clouds and boards run on; ARM's cpuinfo has numbers where x86 has a name.
struct ArmPart {
    std::uint64_t part;
    std::string_view name;
};
constexpr std::array<ArmPart, 14> kArmParts{{
    {0xd03, "Cortex-A53"}, {0xd04, "Cortex-A35"}, {0xd05, "Cortex-A55"}, {0xd07, "Cortex-A57"},
    {0xd08, "Cortex-A72"}, {0xd09, "Cortex-A73"}, {0xd0a, "Cortex-A75"}, {0xd0b, "Cortex-A76"},
    {0xd0c, "Neoverse-N1"}, {0xd40, "Neoverse-V1"}, {0xd49, "Neoverse-N2"}, {0xd4f, "Neoverse-V2"},
    {0xd84, "Neoverse-V3"}, {0xd8e, "Neoverse-N3"},
}};

// Of one processor: where it sits.
struct Place {
    std::uint64_t package = 0;
    std::uint64_t core = 0;

    friend auto operator<=>(const Place&, const Place&) = default;
};

struct CpuInfo {
    std::uint32_t threads = 0;
    std::vector<Place> places;  // of those processors that state both
    std::string model;
    std::string implementer;  // "0x41"
    std::string part;
    std::uint64_t bogomips_half = 0;  // x86 only
};

std::string collapse_blanks(std::string_view text) {
    std::string collapsed;
    while (true) {
        const auto word = next_field(text);
        if (word.empty()) return collapsed;
        if (!collapsed.empty()) collapsed += ' ';
        collapsed += word;
    }
}

void keep_first(std::string& kept, std::string_view value) {
    if (kept.empty()) kept = collapse_blanks(value);
}

CpuInfo read_cpuinfo(const Root& root) {
    CpuInfo info;
    std::uint64_t package = kUnstated;
    bool is_x86 = false;
    LineReader lines{root.open("proc/cpuinfo")};
    while (const auto line = lines.next()) {
        const auto [key, value] = split_at_colon(*line);
        if (key == "processor" && parse_number(value)) {
            ++info.threads;
            package = kUnstated;
        } else if (key == "physical id") {
            package = parse_number(value).value_or(kUnstated);
        } else if (key == "core id") {
            const auto core = parse_number(value).value_or(kUnstated);
            const bool is_stated = package != kUnstated && core != kUnstated;
            if (is_stated && info.places.size() < kProcessorsMax)
                info.places.push_back({package, core});
        } else if (key == "model name" || key == "cpu" || key == "uarch") {
            keep_first(info.model, value);  // x86; POWER; RISC-V
        } else if (key == "CPU implementer") {
            keep_first(info.implementer, value);
        } else if (key == "CPU part") {
            keep_first(info.part, value);
        } else if (key == "flags") {
            is_x86 = true;
        } else if (key == "bogomips" && is_x86 && info.bogomips_half == 0) {
            info.bogomips_half = parse_whole_part(value).value_or(0) / 2;
        }
    }
    return info;
}

// For processors whose cpuinfo says nothing of where they sit.
std::vector<Place> read_topology(const Root& root) {
    std::vector<Place> places;
    const std::string path = "sys/devices/system/cpu";
    for (const auto& name : root.list(path)) {
        if (!name.starts_with("cpu") || !parse_number(name.substr(3))) continue;
        const auto topology = path + "/" + name + "/topology";
        const auto core = root.read_number(topology + "/core_id");
        if (!core) continue;
        // Boards without a notion of sockets say -1.
        places.push_back({root.read_number(topology + "/physical_package_id").value_or(0), *core});
    }
    return places;
}

std::optional<std::uint64_t> parse_hexadecimal(std::string_view text) {
    if (text.starts_with("0x")) text.remove_prefix(2);
    return parse_number(text, 16);
}

std::string arm_model(const CpuInfo& info) {
    const auto implementer = parse_hexadecimal(info.implementer);
    const auto part = parse_hexadecimal(info.part);
    if (!implementer || !part) return {};
    if (implementer == kArm)
        for (const auto& known : kArmParts)
            if (known.part == *part) return "ARM " + std::string{known.name};
    return "ARM implementer " + info.implementer + " part " + info.part;
}

std::uint64_t mhz_by_cpufreq(const Root& root) {
    std::uint64_t kilohertz_max = 0;
    const std::string path = "sys/devices/system/cpu/cpufreq";
    for (const auto& name : root.list(path)) {
        if (!name.starts_with("policy")) continue;
        const auto kilohertz = root.read_number(path + "/" + name + "/cpuinfo_max_freq");
        kilohertz_max = std::max(kilohertz_max, kilohertz.value_or(0));
    }
    return kilohertz_max / 1000;
}

// "Intel(R) Xeon(R) CPU @ 2.50GHz" is 2500.
std::uint64_t mhz_by_name(std::string_view model) {
    const auto at = model.rfind("@ ");
    if (at == std::string_view::npos || !model.ends_with("GHz")) return 0;
    const auto number = trim(model.substr(at + 2, model.size() - at - 2 - 3));
    const auto dot = number.find('.');
    const auto whole = parse_number(number.substr(0, dot));
    if (!whole || *whole > 100) return 0;
    std::uint64_t megahertz = *whole * 1000;
    if (dot == std::string_view::npos) return megahertz;
    std::uint64_t weight = 100;
    for (const char c : number.substr(dot + 1)) {
        if (!is_digit(c)) return 0;
        megahertz += static_cast<std::uint64_t>(c - '0') * weight;
        weight /= 10;
    }
    return megahertz;
}

template <class T>
std::uint32_t count_distinct(std::vector<T> values) {
    std::sort(values.begin(), values.end());
    return to_u32_capped(static_cast<std::uint64_t>(
        std::unique(values.begin(), values.end()) - values.begin()
    ));
}

}  // namespace

Cpu read_cpu(const Root& root) {
    auto info = read_cpuinfo(root);
    if (info.places.empty()) info.places = read_topology(root);
    if (info.threads == 0) info.threads = to_u32_capped(info.places.size());
    std::vector<std::uint64_t> packages;
    for (const auto& place : info.places) packages.push_back(place.package);

    Cpu cpu;
    cpu.model = info.model.empty() ? arm_model(info) : info.model;
    cpu.threads = info.threads;
    // A kernel for one processor states no places: it is one core in one socket.
    const std::uint32_t least = info.threads == 0 ? 0 : 1;
    cpu.sockets = std::max(count_distinct(std::move(packages)), least);
    cpu.cores = info.places.empty() ? info.threads : count_distinct(std::move(info.places));
    auto megahertz = mhz_by_cpufreq(root);
    if (megahertz == 0) megahertz = mhz_by_name(cpu.model);
    if (megahertz == 0) megahertz = info.bogomips_half;
    cpu.mhz_max = to_u32_capped(megahertz);
    return cpu;
}

std::optional<bool> has_hypervisor_flag(const Root& root) {
    LineReader lines{root.open("proc/cpuinfo")};
    while (const auto line = lines.next()) {
        auto [key, flags] = split_at_colon(*line);
        if (key != "flags") continue;
        while (true) {
            const auto flag = next_field(flags);
            if (flag.empty()) return false;
            if (flag == "hypervisor") return true;
        }
    }
    return std::nullopt;
}

}  // namespace synapsex::platform
