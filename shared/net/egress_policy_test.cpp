#include "shared/net/egress_policy.hpp"

#include <map>

#include <gmock/gmock.h>

namespace synapsex::net {
namespace {

using ::testing::HasSubstr;

IpAddress address(const std::string& text) { return IpAddress::parse(text).value(); }
IpNetwork network(const std::string& text) { return IpNetwork::parse(text).value(); }

class FakeResolver final : public Resolver {
 public:
    std::map<std::string, std::vector<std::string>> hosts;

    Result<std::vector<IpAddress>> resolve(const std::string& host, Deadline) override {
        const auto found = hosts.find(host);
        if (found == hosts.end())
            return Problem{Kind::unprocessable, std::string{kUnresolved}, "nothing"};
        std::vector<IpAddress> addresses;
        for (const auto& text : found->second) addresses.push_back(address(text));
        return addresses;
    }
};

class EgressPolicyTest : public ::testing::Test {
 protected:
    std::string decision(const std::string& url) {
        const auto vetted = policy.vet(url, resolver, Deadline::never());
        return vetted ? "allowed" : vetted.error().code;
    }

    EgressPolicy policy;
    FakeResolver resolver;
};

struct AddressCase {
    std::string address;
    std::string_view code;
};

// The first and last address of each network, and those beside it where they are public.
const std::vector<AddressCase> kRefused{
    {"0.0.0.0", kAddressReserved},
    {"0.255.255.255", kAddressReserved},
    {"10.0.0.0", kAddressPrivate},
    {"10.255.255.255", kAddressPrivate},
    {"100.64.0.0", kAddressPrivate},
    {"100.127.255.255", kAddressPrivate},
    {"127.0.0.1", kAddressLoopback},
    {"127.255.255.254", kAddressLoopback},
    {"169.254.0.1", kAddressLinkLocal},
    {"172.16.0.1", kAddressPrivate},
    {"172.31.255.255", kAddressPrivate},
    {"192.0.0.1", kAddressReserved},
    {"192.0.2.1", kAddressReserved},
    {"192.88.99.1", kAddressReserved},
    {"192.168.0.1", kAddressPrivate},
    {"192.168.255.255", kAddressPrivate},
    {"198.18.0.1", kAddressReserved},
    {"198.19.255.255", kAddressReserved},
    {"198.51.100.1", kAddressReserved},
    {"203.0.113.1", kAddressReserved},
    {"224.0.0.1", kAddressMulticast},
    {"239.255.255.255", kAddressMulticast},
    {"240.0.0.1", kAddressReserved},
    {"255.255.255.255", kAddressReserved},
    {"169.254.169.254", kMetadata},
    {"169.254.170.2", kMetadata},
    {"100.100.100.200", kMetadata},
    {"168.63.129.16", kMetadata},
    {"192.0.0.192", kMetadata},
    {"fd00:ec2::254", kMetadata},
    {"fd20:ce::254", kMetadata},
    {"fe80::a9fe:a9fe", kMetadata},
    {"::", kAddressReserved},
    {"::1", kAddressLoopback},
    {"::ffff:127.0.0.1", kAddressLoopback},
    {"::ffff:10.0.0.1", kAddressPrivate},
    {"::ffff:169.254.169.254", kMetadata},
    {"::ffff:8.8.8.8", kAddressEmbedded},
    {"::10.0.0.1", kAddressPrivate},
    {"::8.8.8.8", kAddressEmbedded},
    {"::ffff:0:127.0.0.1", kAddressReserved},
    {"64:ff9b::127.0.0.1", kAddressLoopback},
    {"64:ff9b::169.254.169.254", kMetadata},
    {"64:ff9b::192.168.1.1", kAddressPrivate},
    {"64:ff9b:1::8.8.8.8", kAddressEmbedded},
    {"64:ff9b:2::1", kAddressReserved},
    {"100::1", kAddressReserved},
    {"2001::1", kAddressEmbedded},
    {"2001:0:4136:e378:8000:63bf:3fff:fdd2", kAddressEmbedded},
    {"2001:2::1", kAddressReserved},
    {"2001:1ff:ffff::1", kAddressReserved},
    {"2001:db8::1", kAddressReserved},
    {"2002:7f00:1::1", kAddressLoopback},
    {"2002:a9fe:a9fe::", kMetadata},
    {"2002:808:808::1", kAddressEmbedded},
    {"3fff::1", kAddressReserved},
    {"4000::1", kAddressReserved},
    {"5f00::1", kAddressReserved},
    {"fc00::1", kAddressPrivate},
    {"fdff:ffff::1", kAddressPrivate},
    {"fe80::1", kAddressLinkLocal},
    {"febf::1", kAddressLinkLocal},
    {"fec0::1", kAddressPrivate},
    {"ff02::1", kAddressMulticast},
};

const std::vector<std::string> kPublic{
    "1.0.0.0",       "8.8.8.8",         "9.255.255.255",  "11.0.0.0",
    "100.63.255.255", "100.128.0.0",    "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "169.255.0.0",   "172.15.255.255", "172.32.0.0",
    "192.0.1.0",     "192.167.255.255", "192.169.0.0",    "198.17.255.255",
    "198.20.0.0",    "223.255.255.255", "168.63.129.17",  "2000::1",
    "2001:200::1",   "2001:4860:4860::8888", "2003::1",   "2606:4700::1111",
    "3ffe::1",       "64:ff9b::8.8.8.8",
};

TEST_F(EgressPolicyTest, refuses_every_address_that_is_not_on_the_internet) {
    for (const auto& [text, code] : kRefused) {
        const auto verdict = policy.judge(address(text));
        EXPECT_EQ(verdict.ruling, AddressRuling::refused) << text;
        EXPECT_EQ(verdict.code, code) << verdict.reason;
    }
}

TEST_F(EgressPolicyTest, lets_public_addresses_through) {
    for (const auto& text : kPublic) {
        const auto verdict = policy.judge(address(text));
        EXPECT_EQ(verdict.ruling, AddressRuling::is_public) << verdict.reason;
        EXPECT_EQ(verdict.code, "");
    }
}

TEST_F(EgressPolicyTest, says_which_address_and_which_range) {
    EXPECT_EQ(policy.judge(address("10.0.0.1")).reason,
              "10.0.0.1 is in 10.0.0.0/8, private use (RFC 1918)");
    EXPECT_EQ(policy.judge(address("::ffff:169.254.169.254")).reason,
              "::ffff:169.254.169.254 holds an address: "
              "169.254.169.254 is the metadata service of most clouds");
    resolver.hosts = {{"hooks.example", {"8.8.8.8", "10.0.0.1"}}};
    const auto judgement = policy.judge("https://hooks.example", resolver, Deadline::never());
    ASSERT_TRUE(judgement.refusal);
    EXPECT_EQ(judgement.refusal->detail, "The host 'hooks.example' must not be reached: "
                                         "10.0.0.1 is in 10.0.0.0/8, private use (RFC 1918).");
    EXPECT_EQ(judgement.addresses.size(), 2U);
}

struct UrlCase {
    std::string url;
    std::string_view code;
};

const std::vector<UrlCase> kRefusedUrls{
    {"", kUrlInvalid},
    {"hooks.example", kUrlInvalid},
    {"//hooks.example/", kUrlInvalid},
    {"https:/hooks.example", kUrlInvalid},
    {"https://", kUrlInvalid},
    {"https://user:secret@hooks.example/", kUrlInvalid},
    {"https://@hooks.example/", kUrlInvalid},
    {"https://8.8.8.8\\@127.0.0.1/", kUrlInvalid},
    {"https://hooks.example/a b", kUrlInvalid},
    {"https://hooks.example/\r\nX: y", kUrlInvalid},
    {"https://h\xc3\xb6oks.example/", kUrlInvalid},
    {"https://hooks.example/%", kUrlInvalid},
    {"https://hooks.example/%4", kUrlInvalid},
    {"https://hooks.example/%zz", kUrlInvalid},
    {"https://hooks.example/{a}", kUrlInvalid},
    {"https://hooks.example/#top", kUrlInvalid},
    {"https://hooks.example:65536/", kUrlInvalid},
    {"https://hooks.example:x/", kUrlInvalid},
    {"http://hooks.example/", kSchemeRefused},
    {"ftp://hooks.example/", kSchemeRefused},
    {"file:///etc/passwd", kSchemeRefused},
    {"gopher://hooks.example:6379/_x", kSchemeRefused},
    {"https://hooks.example:22/", kPortRefused},
    {"https://hooks.example:80/", kPortRefused},
    {"https://hooks.example:1023/", kPortRefused},
    {"https://hooks.example:0/", kPortRefused},
    {"https://hooks.example./", kHostInvalid},
    {"https://hooks..example/", kHostInvalid},
    {"https://-hooks.example/", kHostInvalid},
    {"https://hooks_1.example/", kHostInvalid},
    {"https://%6cocalhost/", kHostInvalid},
    {"https://127.0.0.1%2f.hooks.example/", kUrlInvalid},
    {"https://127.0.0.1./", kHostInvalid},
    {"https:///hooks.example/", kHostInvalid},
    {"https://[fe80::1%25eth0]/", kHostInvalid},
    {"https://[127.0.0.1]/", kUrlInvalid},
    {"https://127.1/", kHostAmbiguous},
    {"https://0x7f.1/", kHostAmbiguous},
    {"https://0x7f000001/", kHostAmbiguous},
    {"https://2130706433/", kHostAmbiguous},
    {"https://0177.0.0.1/", kHostAmbiguous},
    {"https://127.0.0.01/", kHostAmbiguous},
    {"https://0/", kHostAmbiguous},
    {"https://1.2.3.256/", kHostAmbiguous},
    {"https://hooks.example:/", kHostAmbiguous},
    {"https://hooks.example:0443/", kHostAmbiguous},
};

TEST_F(EgressPolicyTest, refuses_urls_that_are_unsafe_or_have_two_readings) {
    for (const auto& [url, code] : kRefusedUrls) {
        const auto outbound = policy.judge(url);
        ASSERT_FALSE(outbound) << url << " as " << outbound->url;
        EXPECT_EQ(outbound.error().code, code) << url << ": " << outbound.error().detail;
    }
}

TEST_F(EgressPolicyTest, refuses_what_is_too_long) {
    const std::string start = "https://hooks.example/";
    const std::string rest(kEgressUrlBytesMax - start.size(), 'a');
    EXPECT_TRUE(policy.judge(start + rest));
    EXPECT_EQ(policy.judge(start + rest + "a").error().code, kUrlTooLong);
    const std::string label(63, 'a');
    EXPECT_TRUE(policy.judge("https://" + label + ".example"));
    EXPECT_EQ(policy.judge("https://a" + label + ".example").error().code, kHostInvalid);
    const auto name = label + "." + label + "." + label + "." + std::string(61, 'a');  // 253
    EXPECT_TRUE(policy.judge("https://" + name));
    EXPECT_EQ(policy.judge("https://" + name + "a").error().code, kHostInvalid);
}

TEST_F(EgressPolicyTest, gives_a_url_one_spelling) {
    for (const auto& [url, spelling] : std::vector<std::pair<std::string, std::string>>{
             {"https://hooks.example", "https://hooks.example/"},
             {"HTTPS://Hooks.Example:443/A?b=%2F&c", "https://hooks.example/A?b=%2F&c"},
             {"https://hooks.example?a=b", "https://hooks.example/?a=b"},
             {"https://hooks.example:8443/", "https://hooks.example:8443/"},
             {"https://xn--hks-1na.example/", "https://xn--hks-1na.example/"},
             {"https://8.8.8.8:65535/", "https://8.8.8.8:65535/"},
             {"https://[2606:4700:0:0:0:0:0:1111]:1024/", "https://[2606:4700::1111]:1024/"},
             {"https://receiver/", "https://receiver/"},
         }) {
        const auto outbound = policy.judge(url);
        ASSERT_TRUE(outbound) << url << ": " << outbound.error().detail;
        EXPECT_EQ(outbound->url, spelling);
    }
}

TEST_F(EgressPolicyTest, vets_a_name_with_all_its_addresses) {
    resolver.hosts = {{"hooks.example", {"8.8.8.8", "2606:4700::1111"}}};
    const auto target =
        policy.vet("https://HOOKS.example:8443/x", resolver, Deadline::never()).value();
    EXPECT_EQ(target.url(), "https://hooks.example:8443/x");
    EXPECT_EQ(target.host(), "hooks.example");
    EXPECT_EQ(target.port(), 8443);
    EXPECT_EQ(target.addresses().size(), 2U);
    EXPECT_TRUE(target.includes(address("8.8.8.8"), 8443));
    EXPECT_FALSE(target.includes(address("8.8.8.8"), 443));
    EXPECT_FALSE(target.includes(address("8.8.4.4"), 8443));
    EXPECT_FALSE(target.includes(address("::ffff:8.8.8.8"), 8443));
}

TEST_F(EgressPolicyTest, refuses_the_whole_for_one_address) {
    resolver.hosts = {
        {"mixed.example", {"8.8.8.8", "127.0.0.1"}},
        {"mapped.example", {"2606:4700::1111", "::ffff:10.0.0.1"}},
        {"none.example", {}},
        {"many.example", std::vector<std::string>(kEgressAddressesMax + 1, "8.8.8.8")},
        {"just.example", std::vector<std::string>(kEgressAddressesMax, "8.8.8.8")},
    };
    EXPECT_EQ(decision("https://mixed.example"), kAddressLoopback);
    EXPECT_EQ(decision("https://mapped.example"), kAddressPrivate);
    EXPECT_EQ(decision("https://none.example"), kUnresolved);
    EXPECT_EQ(decision("https://unknown.example"), kUnresolved);
    EXPECT_EQ(decision("https://many.example"), kTooManyAddresses);
    EXPECT_EQ(decision("https://just.example"), "allowed");
}

TEST_F(EgressPolicyTest, judges_addresses_in_urls_without_a_look_up) {
    EXPECT_EQ(decision("https://8.8.8.8/"), "allowed");
    EXPECT_EQ(decision("https://127.0.0.1/"), kAddressLoopback);
    EXPECT_EQ(decision("https://169.254.169.254/latest/meta-data/"), kMetadata);
    EXPECT_EQ(decision("https://[::1]/"), kAddressLoopback);
    EXPECT_EQ(decision("https://[::ffff:127.0.0.1]/"), kAddressLoopback);
    EXPECT_EQ(decision("https://[0:0:0:0:0:ffff:7f00:1]/"), kAddressLoopback);
    EXPECT_EQ(decision("https://[::ffff:a9fe:a9fe]/"), kMetadata);
}

TEST_F(EgressPolicyTest, takes_the_operator_s_word_denied_before_allowed) {
    policy = EgressPolicy{
        {.allow = {network("10.1.0.0/16"), network("0.0.0.0/0"), network("::/0")},
         .deny = {network("10.1.2.0/24"), network("8.8.0.0/16"), network("2606:4700::/32")}}};
    EXPECT_EQ(decision("https://10.1.1.1/"), "allowed");
    EXPECT_EQ(decision("https://10.1.2.1/"), kAddressDenied);
    EXPECT_EQ(decision("https://8.8.8.8/"), kAddressDenied);
    EXPECT_EQ(decision("https://[64:ff9b::808:808]/"), kAddressDenied);
    EXPECT_EQ(decision("https://[2606:4700::1]/"), kAddressDenied);
    EXPECT_EQ(decision("https://[::1]/"), "allowed");
    EXPECT_EQ(policy.judge(address("10.1.1.1")).reason,
              "10.1.1.1 is in 10.1.0.0/16, which the operator allows");
    for (const auto* metadata : {"https://169.254.169.254/", "https://[fd00:ec2::254]/",
                                 "https://[::ffff:169.254.169.254]/", "https://168.63.129.16/"})
        EXPECT_EQ(decision(metadata), kMetadata) << metadata;
}

TEST_F(EgressPolicyTest, an_allowed_network_does_not_allow_an_address_held_by_another) {
    policy = EgressPolicy{{.allow = {network("::ffff:0:0/96"), network("2002::/16")}}};
    EXPECT_EQ(decision("https://[::ffff:10.0.0.1]/"), kAddressPrivate);
    EXPECT_EQ(decision("https://[2002:a00:1::]/"), kAddressPrivate);
    EXPECT_EQ(decision("https://[::ffff:8.8.8.8]/"), "allowed");
}

TEST_F(EgressPolicyTest, sends_clear_text_only_into_allowed_networks_and_only_if_told) {
    resolver.hosts = {{"receiver", {"10.1.1.1"}}, {"both", {"10.1.1.1", "8.8.8.8"}}};
    EgressRules rules{.allow = {network("10.1.0.0/16")}};
    policy = EgressPolicy{rules};
    EXPECT_EQ(decision("http://receiver/"), kSchemeRefused);
    rules.clear_text = ClearText::to_allowed;
    policy = EgressPolicy{rules};
    EXPECT_EQ(decision("http://receiver/"), "allowed");
    EXPECT_EQ(decision("http://receiver:443/"), kPortRefused);
    EXPECT_EQ(decision("http://both/"), kSchemeRefused);
    EXPECT_EQ(decision("http://8.8.8.8/"), kSchemeRefused);
    EXPECT_EQ(decision("https://both/"), "allowed");
}

TEST_F(EgressPolicyTest, does_not_repeat_secrets_of_a_url) {
    for (const auto* url : {"https://user:hunter2@hooks.example/", "https://hooks.example/hunter2#",
                            "https:/hunter2", "https://127.1/hunter2", "http://x/hunter2",
                            "https://hooks.example:1/hunter2"})
        EXPECT_THAT(policy.judge(url).error().detail, ::testing::Not(HasSubstr("hunter2"))) << url;
}

}  // namespace
}  // namespace synapsex::net
