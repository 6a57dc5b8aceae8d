#pragma once

// Who calls, where proxies stand before the server: each appends the address that it saw to
// X-Forwarded-For. What a proxy of ours has appended is believed; what came with the request is
// anybody's word.

#include <string>
#include <vector>

#include "controlplane/platform/http/server.hpp"
#include "shared/net/ip_address.hpp"

namespace synapsex::api_gateway {

class TrustedProxies {
 public:
    TrustedProxies() = default;  // none: the peer is the client
    explicit TrustedProxies(std::vector<net::IpNetwork> networks)
        : networks_(std::move(networks)) {}

    // The last address that is no trusted proxy's, from the peer backwards. The proxy's own where
    // it names none, or nothing that is an address.
    std::string client_of(const http::RequestHead& head) const;

 private:
    bool contains(const std::string& address) const;

    std::vector<net::IpNetwork> networks_;
};

}  // namespace synapsex::api_gateway
