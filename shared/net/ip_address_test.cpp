#include "shared/net/ip_address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace synapsex::net {
namespace {

TEST(IpAddress, has_one_text) {
    for (const auto& [written, text] : std::vector<std::pair<std::string, std::string>>{
             {"192.0.2.1", "192.0.2.1"},
             {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
             {"::ffff:7f00:1", "::ffff:127.0.0.1"},
         })
        EXPECT_EQ(IpAddress::parse(written).value().text(), text);
}

TEST(IpAddress, knows_no_other_spellings) {
    for (const std::string text :
         {"", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01", "1.2.3.4.5",
          "256.0.0.1", " 127.0.0.1", "127.0.0.1 ", "[::1]", "fe80::1%eth0", "::1::", "12345::"})
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    EXPECT_FALSE(IpAddress::parse(std::string{"127.0.0.1\0.evil", 15}));
}

TEST(IpAddress, is_read_from_a_socket_s_address) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr);
    EXPECT_EQ(IpAddress::from(reinterpret_cast<sockaddr&>(v4)).value().text(), "192.0.2.7");
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    inet_pton(AF_INET6, "2001:db8::7", &v6.sin6_addr);
    EXPECT_EQ(IpAddress::from(reinterpret_cast<sockaddr&>(v6)).value().text(), "2001:db8::7");
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    EXPECT_FALSE(IpAddress::from(reinterpret_cast<sockaddr&>(local)));
}

TEST(IpNetwork, has_the_addresses_that_begin_like_it) {
    struct Case {
        std::string network;
        std::string address;
        bool is_in;
    };
    for (const auto& [network, address, is_in] : std::vector<Case>{
             {"10.0.0.0/8", "10.255.255.255", true},
             {"10.0.0.0/8", "11.0.0.0", false},
             {"172.16.0.0/12", "172.31.255.255", true},
             {"172.16.0.0/12", "172.32.0.0", false},
             {"192.0.2.1", "192.0.2.1", true},
             {"192.0.2.1", "192.0.2.2", false},
             {"0.0.0.0/0", "255.255.255.255", true},
             {"0.0.0.0/0", "::", false},
             {"::/0", "ff02::1", true},
             {"fe80::/10", "febf::1", true},
             {"fe80::/10", "fec0::1", false},
         })
        EXPECT_EQ(
            IpNetwork::parse(network).value().contains(IpAddress::parse(address).value()), is_in
        ) << network << " " << address;
}

TEST(IpNetwork, is_refused_where_its_text_is_not_exact) {
    for (const std::string text :
         {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8x",
          "10.0.0.1/8", "::1/64", "2001:db8::/129", "10/8", "localhost"})
        EXPECT_FALSE(IpNetwork::parse(text)) << text;
    EXPECT_EQ(IpNetwork::parse("192.0.2.1").value().text(), "192.0.2.1/32");
}

}  // namespace
}  // namespace synapsex::net
