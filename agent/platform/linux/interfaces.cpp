#include "agent/platform/linux/interfaces.hpp"

#include <algorithm>
#include <tuple>

#include "agent/platform/linux/devices.hpp"
#include "agent/platform/linux/fields.hpp"

namespace synapsex::platform {
namespace {

std::string read_mac(const Root& root, const std::string& path) {
    auto mac = root.read_value(path + "/address");
    const bool is_blank = mac.find_first_not_of("0:") == std::string::npos;
    return is_blank ? std::string{} : mac;
}

void read_attributes(const Root& root, NetworkInterface& interface) {
    const auto path = "sys/class/net/" + interface.name;
    interface.mac = read_mac(root, path);
    interface.mtu = to_u32_capped(root.read_number(path + "/mtu").value_or(0));
    interface.state = root.read_value(path + "/operstate");
    // "-1", or an error to read it, where the driver knows of no speed.
    interface.speed_megabits = root.read_number(path + "/speed").value_or(0);
}

// Names from /sys and from the addresses: a container may show either without the other.
std::vector<std::string> list_names(
    const Root& root, const std::vector<InterfaceAddress>& addresses
) {
    auto names = root.list("sys/class/net");
    for (const auto& each : addresses) names.push_back(each.interface);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

}  // namespace

std::vector<NetworkInterface> read_interfaces(
    const Root& root, KernelCalls& kernel, std::size_t max
) {
    auto addresses = kernel.addresses();
    const auto by_interface = [](const auto& left, const auto& right) {
        return std::tie(left.interface, left.address) < std::tie(right.interface, right.address);
    };
    std::sort(addresses.begin(), addresses.end(), by_interface);

    std::vector<NetworkInterface> interfaces;
    auto next = addresses.begin();
    for (auto& name : list_names(root, addresses)) {
        NetworkInterface interface;
        interface.name = std::move(name);
        bool is_reachable = false;
        for (; next != addresses.end() && next->interface == interface.name; ++next) {
            is_reachable = is_reachable || !next->is_link_local;
            interface.addresses.push_back(std::move(next->address));
        }
        if (interface.name == "lo" || interfaces.size() == max) continue;
        if (!is_reachable && !is_physical_link(root, interface.name)) continue;
        read_attributes(root, interface);
        interfaces.push_back(std::move(interface));
    }
    return interfaces;
}

}  // namespace synapsex::platform
