#pragma once

// Proof that EgressPolicy has let a URL and all its addresses through. Nothing else makes one, so
// a function that takes a VettedTarget cannot be given a URL that nobody judged. HttpRequest takes
// it in place of a URL; the client then connects to these addresses and to no other.
//
// It holds for one attempt: names change their addresses, so each attempt is vetted anew.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/net/ip_address.hpp"

namespace synapsex::net {

// The client was about to connect to an address that is not among the vetted ones. It never should.
inline constexpr std::string_view kAddressNotVetted = "egress.address_not_vetted";

class VettedTarget {
 public:
    // As judged, in its one spelling: lower-case scheme and host, no port that is the scheme's.
    const std::string& url() const { return url_; }
    // A name or an address; without the brackets that an IPv6 address has in a URL.
    const std::string& host() const { return host_; }
    std::uint16_t port() const { return port_; }
    const std::vector<IpAddress>& addresses() const { return addresses_; }  // one at least

    bool includes(const IpAddress& address, std::uint16_t port) const {
        return port == port_ && std::ranges::find(addresses_, address) != addresses_.end();
    }

 private:
    friend class EgressPolicy;
    VettedTarget(
        std::string url, std::string host, std::uint16_t port, std::vector<IpAddress> addresses
    )
        : url_(std::move(url)), host_(std::move(host)), port_(port),
          addresses_(std::move(addresses)) {}

    std::string url_;
    std::string host_;
    std::uint16_t port_;
    std::vector<IpAddress> addresses_;
};

}  // namespace synapsex::net
