#include "shared/net/special_networks.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "shared/net/egress_policy.hpp"

namespace synapsex::net {

namespace {

struct Row {
    std::string_view network;
    std::string_view code;
    std::string_view what;
};

// The first one that has the address names it: narrow ones stand before those they are in.
constexpr std::array kNotTheInternet{
    Row{"0.0.0.0/8", kAddressReserved, "this network (RFC 791)"},
    Row{"10.0.0.0/8", kAddressPrivate, "private use (RFC 1918)"},
    Row{"100.64.0.0/10", kAddressPrivate, "shared address space of carriers (RFC 6598)"},
    Row{"127.0.0.0/8", kAddressLoopback, "loopback (RFC 1122)"},
    Row{"169.254.0.0/16", kAddressLinkLocal, "link local (RFC 3927)"},
    Row{"172.16.0.0/12", kAddressPrivate, "private use (RFC 1918)"},
    Row{"192.0.0.0/24", kAddressReserved, "protocol assignments (RFC 6890)"},
    Row{"192.0.2.0/24", kAddressReserved, "documentation (RFC 5737)"},
    Row{"192.88.99.0/24", kAddressReserved, "6to4 relays, deprecated (RFC 7526)"},
    Row{"192.168.0.0/16", kAddressPrivate, "private use (RFC 1918)"},
    Row{"198.18.0.0/15", kAddressReserved, "benchmarking (RFC 2544)"},
    Row{"198.51.100.0/24", kAddressReserved, "documentation (RFC 5737)"},
    Row{"203.0.113.0/24", kAddressReserved, "documentation (RFC 5737)"},
    Row{"224.0.0.0/4", kAddressMulticast, "multicast (RFC 5771)"},
    Row{"255.255.255.255/32", kAddressReserved, "broadcast (RFC 919)"},
    Row{"240.0.0.0/4", kAddressReserved, "reserved (RFC 1112)"},
    Row{"::/128", kAddressReserved, "the unspecified address (RFC 4291)"},
    Row{"::1/128", kAddressLoopback, "loopback (RFC 4291)"},
    Row{"::ffff:0:0/96", kAddressEmbedded, "IPv4-mapped (RFC 4291)"},
    Row{"::/96", kAddressEmbedded, "IPv4-compatible, deprecated (RFC 4291)"},
    Row{"64:ff9b:1::/48", kAddressEmbedded, "local NAT64 (RFC 8215)"},
    Row{"100::/64", kAddressReserved, "discard only (RFC 6666)"},
    Row{"2001::/32", kAddressEmbedded, "Teredo (RFC 4380)"},
    Row{"2001::/23", kAddressReserved, "protocol assignments (RFC 2928)"},
    Row{"2001:db8::/32", kAddressReserved, "documentation (RFC 3849)"},
    Row{"2002::/16", kAddressEmbedded, "6to4 (RFC 3056)"},
    Row{"3fff::/20", kAddressReserved, "documentation (RFC 9637)"},
    Row{"5f00::/16", kAddressReserved, "segment routing (RFC 9602)"},
    Row{"fc00::/7", kAddressPrivate, "unique local (RFC 4193)"},
    Row{"fe80::/10", kAddressLinkLocal, "link local (RFC 4291)"},
    Row{"fec0::/10", kAddressPrivate, "site local, deprecated (RFC 3879)"},
    Row{"ff00::/8", kAddressMulticast, "multicast (RFC 4291)"},
};

// What IANA has given out as global unicast, and the NAT64 prefix, whose inner address is judged.
constexpr std::array kGlobalIpv6{
    Row{"2000::/3", "", ""},
    Row{"64:ff9b::/96", "", ""},
};
constexpr std::array kRestOfIpv6{
    Row{"::/0", kAddressReserved, "not assigned as global unicast (RFC 4291)"},
};

// Each answers anybody on the machine with its credentials, so none is ever let through; that most
// of them lie in refused networks anyway does not count once such a network is allowed.
constexpr std::array kMetadataServices{
    Row{"169.254.169.254", kMetadata, "most clouds"},
    Row{"169.254.170.2", kMetadata, "AWS ECS"},
    Row{"169.254.170.23", kMetadata, "AWS EKS"},
    Row{"169.254.42.42", kMetadata, "Scaleway"},
    Row{"169.254.0.23", kMetadata, "Tencent Cloud"},
    Row{"100.100.100.200", kMetadata, "Alibaba Cloud"},
    Row{"168.63.129.16", kMetadata, "Azure (WireServer)"},
    Row{"192.0.0.192", kMetadata, "Oracle Cloud"},
    Row{"fd00:ec2::254", kMetadata, "AWS"},
    Row{"fd00:ec2::23", kMetadata, "AWS EKS"},
    Row{"fd20:ce::254", kMetadata, "Google Cloud"},
    Row{"fd00:c1::a9fe:a9fe", kMetadata, "Oracle Cloud"},
    Row{"fd00:42::42", kMetadata, "Scaleway"},
    Row{"fe80::a9fe:a9fe", kMetadata, "OpenStack"},
};

template <std::size_t Size>
std::vector<SpecialNetwork> read(const std::array<Row, Size>& rows) {
    std::vector<SpecialNetwork> networks;
    for (const auto& [network, code, what] : rows)
        networks.push_back(
            {IpNetwork::parse(std::string{network}).value(), std::string{code}, std::string{what}}
        );
    return networks;
}

const SpecialNetwork* find(const std::vector<SpecialNetwork>& networks, const IpAddress& address) {
    const auto found = std::ranges::find_if(networks, [&](const SpecialNetwork& candidate) {
        return candidate.network.contains(address);
    });
    return found == networks.end() ? nullptr : &*found;
}

}  // namespace

const SpecialNetwork* find_special_network(const IpAddress& address) {
    static const auto kSpecial = read(kNotTheInternet);
    static const auto kGlobal = read(kGlobalIpv6);
    static const auto kRest = read(kRestOfIpv6);
    if (const auto* special = find(kSpecial, address)) return special;
    return find(kGlobal, address) != nullptr ? nullptr : find(kRest, address);
}

const SpecialNetwork* find_metadata_service(const IpAddress& address) {
    static const auto kServices = read(kMetadataServices);
    return find(kServices, address);
}

}  // namespace synapsex::net
