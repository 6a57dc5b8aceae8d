#include "controlplane/services/api_gateway/credential.hpp"

#include <gtest/gtest.h>

namespace synapsex::api_gateway {
namespace {

TEST(Credential, is_a_bearer_token_or_an_api_key_and_one_of_them) {
    const auto find = [](std::vector<std::pair<std::string, std::string>> headers) {
        http::RequestHead head;
        head.headers = std::move(headers);
        const auto credential = find_credential(head);
        return credential ? credential->secret + "@" + credential->tenant
                          : credential.error().code;
    };
    EXPECT_EQ(find({{"authorization", "Bearer abc"}}), "abc@");
    EXPECT_EQ(find({{"authorization", "bearer abc"}, {"x-tenant-id", "acme"}}), "abc@acme");
    EXPECT_EQ(find({{"x-api-key", "sk_sx_1"}}), "sk_sx_1@");
    EXPECT_EQ(find({}), "auth.credential_missing");
    for (const auto* value : {"Basic abc", "Bearer", "Bearer ", "abc", ""})
        EXPECT_EQ(find({{"authorization", value}}), "auth.credential_malformed") << value;
    EXPECT_EQ(
        find({{"authorization", "Bearer a"}, {"x-api-key", "b"}}), "auth.credential_malformed"
    );
    EXPECT_EQ(find({{"x-api-key", "a"}, {"x-api-key", "b"}}), "auth.credential_malformed");
    EXPECT_EQ(find({{"x-api-key", std::string(5000, 'a')}}), "auth.credential_malformed");
}

}  // namespace
}  // namespace synapsex::api_gateway
