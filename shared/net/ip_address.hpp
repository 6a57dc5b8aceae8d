#pragma once

// IP addresses and networks as values: compared as numbers, never as text.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct sockaddr;

namespace synapsex::net {

class IpAddress {
 public:
    // "192.0.2.1", "2001:db8::1": the forms of inet_pton, which knows no octal, hexadecimal or
    // shortened IPv4 address, no brackets and no zone.
    static std::optional<IpAddress> parse(const std::string& text);
    // Nothing for a family that is neither IPv4 nor IPv6. A zone is left out.
    static std::optional<IpAddress> from(const sockaddr& address);

    bool is_v4() const { return is_v4_; }
    std::size_t bits() const { return is_v4_ ? 32 : 128; }
    bool bit(std::size_t index) const { return (bytes_[index / 8] >> (7 - index % 8) & 1) != 0; }
    // The one text of it: "2001:db8::1", lower case, the longest run of zeros left out.
    std::string text() const;
    // The IPv4 address that an IPv6 address holds: mapped, compatible, NAT64 (64:ff9b::/96), 6to4.
    std::optional<IpAddress> embedded_v4() const;

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
    bool is_v4_ = true;
    std::array<std::uint8_t, 16> bytes_{};  // of IPv4 the first four; the rest are zero
};

class IpNetwork {
 public:
    // "10.0.0.0/8", "fd00::/8", or an address, which is a network of one. Nothing for anything
    // else, also for "10.1.2.3/8": who writes it means another network than 10.0.0.0/8.
    static std::optional<IpNetwork> parse(const std::string& text);

    bool contains(const IpAddress& address) const;
    std::string text() const;

    friend bool operator==(const IpNetwork&, const IpNetwork&) = default;

 private:
    IpNetwork(IpAddress first, std::size_t prefix) : first_(first), prefix_(prefix) {}

    IpAddress first_;
    std::size_t prefix_;
};

// The first of the networks that has it; nullptr if none has.
const IpNetwork* find_network(const std::vector<IpNetwork>& networks, const IpAddress& address);

}  // namespace synapsex::net
