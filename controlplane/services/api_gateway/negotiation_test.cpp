// What is read of a request's head besides its method, path and credential.

#include "controlplane/services/api_gateway/negotiation.hpp"

#include <gtest/gtest.h>

#include "controlplane/services/api_gateway/client_address.hpp"
#include "controlplane/services/api_gateway/cross_origin.hpp"
#include "controlplane/services/api_gateway/header_text.hpp"
#include "controlplane/services/api_gateway/trace_context.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::api_gateway {
namespace {

TEST(TakesType, by_the_most_specific_range) {
    const auto takes_json = [](std::string_view accept) {
        return takes_type(accept, "application/json");
    };
    for (const auto* yes :
         {"", "*/*", "application/*", "application/json", "Application/JSON; q=0.5",
          "text/html, application/json", "text/html,*/*;q=0.1", "application/json;indent=2",
          "application/json;q=0.001", "application/*;q=0, application/json", " , ,",
          "application/json;q=0, application/json;v=2", "nonsense"})
        EXPECT_TRUE(takes_json(yes)) << yes;
    for (const auto* no :
         {"text/html", "application/xml, text/*", "application/json;q=0", "*/*;q=0",
          "application/json; q=0.000, */*", "application/*;q=0, */*", "application/json5"})
        EXPECT_FALSE(takes_json(no)) << no;
}

TEST(TakesGzip, where_it_is_named_or_all_are) {
    for (const auto* yes : {"gzip", "deflate, GZIP;q=0.5, br", "*", "x-gzip", "br, *;q=0.1"})
        EXPECT_TRUE(takes_gzip(yes)) << yes;
    for (const auto* no :
         {"", "br", "gzip;q=0", "gzip;q=0.0, *", "identity", "*;q=0", "gzipped", "deflate;q=gzip"})
        EXPECT_FALSE(takes_gzip(no)) << no;
}

TEST(ListHeader, is_all_values_of_the_name) {
    http::RequestHead head;
    head.headers = {{"accept", "a/b"}, {"host", "x"}, {"accept", "c/d"}};
    EXPECT_EQ(list_header(head, "accept"), "a/b, c/d");
    EXPECT_EQ(list_header(head, "origin"), std::nullopt);
}

class TrustedProxiesTest : public ::testing::Test {
 protected:
    std::string client_of(
        const std::string& peer, std::vector<std::string> forwarded,
        const std::vector<std::string>& trusted = {"10.0.0.0/8", "2001:db8::/32"}
    ) {
        std::vector<net::IpNetwork> networks;
        for (const auto& text : trusted) networks.push_back(net::IpNetwork::parse(text).value());
        http::RequestHead head;
        head.client_address = peer;
        for (auto& value : forwarded) head.headers.emplace_back("x-forwarded-for", value);
        return TrustedProxies{networks}.client_of(head);
    }
};

TEST_F(TrustedProxiesTest, believes_what_a_trusted_proxy_has_appended) {
    EXPECT_EQ(client_of("10.0.0.1", {"192.0.2.7"}), "192.0.2.7");
    EXPECT_EQ(client_of("10.0.0.1", {"192.0.2.7, 10.9.9.9"}), "192.0.2.7") << "two proxies";
    EXPECT_EQ(client_of("10.0.0.1", {"192.0.2.7", "10.9.9.9"}), "192.0.2.7") << "in two headers";
    EXPECT_EQ(client_of("2001:db8::1", {"2A00:0:0::7"}), "2a00::7") << "of one text";
    EXPECT_EQ(client_of("10.0.0.1", {"192.0.2.7:4711"}), "192.0.2.7");
    EXPECT_EQ(client_of("10.0.0.1", {"[2a00::7]:4711"}), "2a00::7");
    EXPECT_EQ(client_of("::ffff:10.0.0.1", {"192.0.2.7"}), "192.0.2.7");
}

TEST_F(TrustedProxiesTest, and_nothing_that_stood_there_before) {
    EXPECT_EQ(client_of("10.0.0.1", {"127.0.0.1, 192.0.2.7"}), "192.0.2.7");
    EXPECT_EQ(client_of("10.0.0.1", {"127.0.0.1", "192.0.2.7"}), "192.0.2.7");
    EXPECT_EQ(client_of("10.0.0.1", {"10.0.0.5, 192.0.2.7, 10.2.2.2"}), "192.0.2.7");
}

TEST_F(TrustedProxiesTest, a_peer_that_is_no_proxy_is_the_client) {
    EXPECT_EQ(client_of("192.0.2.9", {"127.0.0.1"}), "192.0.2.9");
    EXPECT_EQ(client_of("10.0.0.1", {"192.0.2.7"}, {}), "10.0.0.1") << "none is trusted";
    EXPECT_EQ(client_of("10.0.0.1", {}), "10.0.0.1") << "it names nobody";
}

TEST_F(TrustedProxiesTest, what_is_no_address_ends_the_search) {
    for (const auto* broken : {"unknown", "192.0.2.7 x", "", ",", "192.0.2.7,", "[2a00::7", "_hid"})
        EXPECT_EQ(client_of("10.0.0.1", {broken}), "10.0.0.1") << broken;
    EXPECT_EQ(client_of("10.0.0.1", {"192.0.2.7, unknown, 10.2.2.2"}), "10.2.2.2");
    EXPECT_EQ(client_of("10.0.0.1", {"10.0.0.2, 10.0.0.3"}), "10.0.0.2") << "all are proxies";
}

TEST(Origins, are_what_browsers_send) {
    for (const auto* good :
         {"*", "https://console.example.com", "http://localhost:3000", "http://127.0.0.1:8080",
          "https://[2001:db8::1]:8443"})
        EXPECT_TRUE(is_origin(good)) << good;
    for (const auto* bad :
         {"", "console.example.com", "https://console.example.com/", "https://Console.example.com",
          "https://console.example.com:443", "http://x:80", "ftp://x", "null", "https://a@x",
          "https://*.example.com", "https://x,https://y"})
        EXPECT_FALSE(is_origin(bad)) << bad;
}

constexpr auto kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr auto kSpan = "b7ad6b7169203331";

std::string traceparent(const std::string& version, const std::string& flags) {
    return version + "-" + kTrace + "-" + kSpan + "-" + flags;
}

TEST(Traceparent, is_read_as_the_standard_has_it) {
    const auto read = parse_traceparent(traceparent("00", "01")).value();
    EXPECT_EQ(read.trace_id, kTrace);
    EXPECT_EQ(read.parent_id, kSpan);
    EXPECT_EQ(read.flags, "01");
    EXPECT_EQ(parse_traceparent(traceparent("00", "0a")).value().flags, "00") << "bit 0 alone";
    EXPECT_EQ(parse_traceparent(traceparent("00", "0b")).value().flags, "01");
    EXPECT_TRUE(parse_traceparent(traceparent("cc", "01") + "-more")) << "a later version";
    const std::string zeros(32, '0');
    for (const auto& bad :
         {std::string{}, traceparent("ff", "01"), traceparent("00", "01") + "-more",
          traceparent("cc", "01") + "more", traceparent("00", "0g"), traceparent("0", "01"),
          "00-" + zeros + "-" + kSpan + "-01", std::string{"00-"} + kTrace + "-" + zeros + "-01",
          "00-" + std::string(32, 'A') + "-" + kSpan + "-01", traceparent("00", "01").substr(1),
          traceparent("00", "01") + ", " + traceparent("00", "01")})
        EXPECT_FALSE(parse_traceparent(bad)) << bad;
}

TEST(Traceparent, a_request_is_a_span_of_its_own_in_its_callers_trace) {
    testing::SeededRandom random;
    const auto first = span_of_request(traceparent("00", "01"), random);
    const auto second = span_of_request(traceparent("00", "01"), random);
    EXPECT_EQ(first.trace_id, kTrace);
    EXPECT_EQ(first.flags, "01");
    EXPECT_NE(first.parent_id, kSpan);
    EXPECT_NE(first.parent_id, second.parent_id);
    EXPECT_TRUE(parse_traceparent(first.text()));
    const auto own = span_of_request("garbage", random);
    EXPECT_NE(own.trace_id, kTrace);
    EXPECT_EQ(own.flags, "00");
    EXPECT_TRUE(parse_traceparent(own.text()));
}

}  // namespace
}  // namespace synapsex::api_gateway
