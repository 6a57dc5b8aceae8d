#include "shared/net/ip_address.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <initializer_list>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace synapsex::net {

std::optional<IpAddress> IpAddress::parse(const std::string& text) {
    if (text.find('\0') != text.npos) return std::nullopt;  // inet_pton would stop there
    IpAddress address;
    if (inet_pton(AF_INET, text.c_str(), address.bytes_.data()) == 1) return address;
    address = {};
    address.is_v4_ = false;
    if (inet_pton(AF_INET6, text.c_str(), address.bytes_.data()) == 1) return address;
    return std::nullopt;
}

std::optional<IpAddress> IpAddress::from(const sockaddr& address) {
    IpAddress made;
    if (address.sa_family == AF_INET) {
        sockaddr_in whole{};
        std::memcpy(&whole, &address, sizeof whole);
        std::memcpy(made.bytes_.data(), &whole.sin_addr, 4);
        return made;
    }
    if (address.sa_family != AF_INET6) return std::nullopt;
    sockaddr_in6 whole{};
    std::memcpy(&whole, &address, sizeof whole);
    made.is_v4_ = false;
    std::memcpy(made.bytes_.data(), &whole.sin6_addr, 16);
    return made;
}

std::string IpAddress::text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(is_v4_ ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
    return text.data();
}

std::optional<IpAddress> IpAddress::embedded_v4() const {
    if (is_v4_) return std::nullopt;
    const auto starts_with = [this](std::initializer_list<int> prefix) {
        return std::equal(prefix.begin(), prefix.end(), bytes_.begin());
    };
    const bool is_6to4 = starts_with({0x20, 0x02});
    const bool is_compatible = starts_with({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    const bool is_mapped = starts_with({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff});
    const bool is_nat64 = starts_with({0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0});
    if (!is_6to4 && !is_compatible && !is_mapped && !is_nat64) return std::nullopt;
    IpAddress inner;
    std::copy_n(bytes_.begin() + (is_6to4 ? 2 : 12), 4, inner.bytes_.begin());
    // :: and ::1 are addresses of their own (RFC 4291, 2.5.5.1).
    const bool is_special = inner.bytes_[0] == 0 && inner.bytes_[1] == 0 &&
                            inner.bytes_[2] == 0 && inner.bytes_[3] <= 1;
    if (is_compatible && is_special) return std::nullopt;
    return inner;
}

std::optional<IpNetwork> IpNetwork::parse(const std::string& text) {
    const auto slash = text.find('/');
    const auto first = IpAddress::parse(text.substr(0, slash));
    if (!first) return std::nullopt;
    std::size_t prefix = first->bits();
    if (slash != text.npos) {
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, prefix);
        if (error != std::errc{} || stop != end || prefix > first->bits()) return std::nullopt;
    }
    for (std::size_t index = prefix; index < first->bits(); ++index)
        if (first->bit(index)) return std::nullopt;
    return IpNetwork{*first, prefix};
}

bool IpNetwork::contains(const IpAddress& address) const {
    if (address.is_v4() != first_.is_v4()) return false;
    for (std::size_t index = 0; index < prefix_; ++index)
        if (address.bit(index) != first_.bit(index)) return false;
    return true;
}

std::string IpNetwork::text() const { return first_.text() + "/" + std::to_string(prefix_); }

const IpNetwork* find_network(const std::vector<IpNetwork>& networks, const IpAddress& address) {
    const auto found = std::ranges::find_if(networks, [&](const IpNetwork& network) {
        return network.contains(address);
    });
    return found == networks.end() ? nullptr : &*found;
}

}  // namespace synapsex::net
