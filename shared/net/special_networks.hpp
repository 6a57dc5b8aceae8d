#pragma once

// Networks that are not the internet, after the special-purpose registries of IANA, and where
// clouds have their metadata services.

#include <string>

#include "shared/net/ip_address.hpp"

namespace synapsex::net {

struct SpecialNetwork {
    IpNetwork network;
    std::string code;  // of egress_policy.hpp
    std::string what;  // "private use (RFC 1918)"
};

// nullptr: the address is globally reachable, as far as registries tell.
const SpecialNetwork* find_special_network(const IpAddress& address);

// Whose metadata service it is; nullptr for every other address.
const SpecialNetwork* find_metadata_service(const IpAddress& address);

}  // namespace synapsex::net
