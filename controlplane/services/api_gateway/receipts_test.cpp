#include "controlplane/services/api_gateway/receipts.hpp"

#include <gtest/gtest.h>

#include "controlplane/services/api_gateway/explain.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::api_gateway {
namespace {

using namespace std::chrono_literals;

class ReceiptsTest : public ::testing::Test {
 protected:
    std::shared_ptr<const Principal> person(
        PrincipalKind kind = PrincipalKind::user, const TenantId& tenant = {}
    ) {
        auto principal = std::make_shared<Principal>();
        principal->kind = kind;
        principal->tenant = tenant.empty() ? TenantId::make(clock.now(), random) : tenant;
        principal->user = UserId::make(clock.now(), random);
        return principal;
    }
    void keep(
        const std::string& id, const std::shared_ptr<const Principal>& caller, int status = 200
    ) {
        Receipt receipt;
        receipt.request_id = id;
        receipt.received_at = clock.now();
        receipt.operation = &operation;
        receipt.caller = caller;
        receipt.status = status;
        receipts.keep(std::move(receipt));
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    api::OperationInfo operation;
    Receipts receipts{
        clock, {.all = 20, .refusals_of_tenant = 5, .others_of_tenant = 3, .problem_bytes = 100}};
};

TEST_F(ReceiptsTest, a_user_finds_their_own_by_whichever_credential) {
    const auto ada = person();
    keep("req_1", ada, 403);
    auto by_key = std::make_shared<Principal>(*ada);
    by_key->kind = PrincipalKind::api_key;
    by_key->credential_id = "key_1";
    ASSERT_TRUE(receipts.find("req_1", *by_key));
    EXPECT_EQ(receipts.find("req_1", *by_key)->status, 403);
    EXPECT_FALSE(receipts.find("req_2", *ada));
}

TEST_F(ReceiptsTest, nobody_finds_another_users_and_no_key_what_was_done_in_another_tenant) {
    const auto ada = person();
    keep("req_1", ada);
    EXPECT_FALSE(receipts.find("req_1", *person(PrincipalKind::user, ada->tenant)));
    auto elsewhere = *ada;
    elsewhere.tenant = TenantId::make(clock.now(), random);
    EXPECT_TRUE(receipts.find("req_1", elsewhere)) << "a person has one memory";
    elsewhere.kind = PrincipalKind::api_key;
    EXPECT_FALSE(receipts.find("req_1", elsewhere));
}

TEST_F(ReceiptsTest, the_newest_of_an_id_that_a_client_used_twice_counts) {
    const auto ada = person();
    keep("mine", ada, 200);
    keep("mine", ada, 429);
    EXPECT_EQ(receipts.find("mine", *ada)->status, 429);
}

TEST_F(ReceiptsTest, nothing_is_kept_of_agents_and_of_nobody) {
    keep("req_1", person(PrincipalKind::agent));
    keep("req_2", std::make_shared<const Principal>());
    EXPECT_EQ(receipts.size(), 0U);
}

TEST_F(ReceiptsTest, half_an_hour_and_no_longer) {
    const auto ada = person();
    keep("req_1", ada);
    clock.advance(30min);
    EXPECT_TRUE(receipts.find("req_1", *ada));
    clock.advance(1s);
    EXPECT_FALSE(receipts.find("req_1", *ada));
    keep("req_2", ada);
    EXPECT_EQ(receipts.size(), 1U) << "what is too old goes when something comes";
}

TEST_F(ReceiptsTest, successes_do_not_crowd_out_refusals_nor_one_tenant_another) {
    const auto ada = person();
    const auto bob = person();
    keep("bobs", bob, 403);
    keep("adas", ada, 403);
    for (int i = 0; i < 50; ++i) keep("ok" + std::to_string(i), ada, 200);
    EXPECT_TRUE(receipts.find("adas", *ada));
    EXPECT_TRUE(receipts.find("ok49", *ada));
    EXPECT_FALSE(receipts.find("ok46", *ada));
    for (int i = 0; i < 50; ++i) keep("no" + std::to_string(i), ada, 429);
    EXPECT_FALSE(receipts.find("adas", *ada));
    EXPECT_TRUE(receipts.find("bobs", *bob));
    EXPECT_EQ(receipts.size(), 1U + 5U + 3U);
}

TEST_F(ReceiptsTest, with_many_tenants_the_oldest_of_all_goes) {
    const auto first = person();
    keep("first", first, 403);
    for (int i = 0; i < 100; ++i) keep("other", person(), i % 2 == 0 ? 200 : 404);
    EXPECT_EQ(receipts.size(), 20U);
    EXPECT_FALSE(receipts.find("first", *first));
}

TEST_F(ReceiptsTest, of_a_long_document_only_its_beginning_is_kept) {
    Receipt receipt;
    receipt.request_id = "req_1";
    receipt.received_at = clock.now();
    receipt.caller = person();
    receipt.problem = std::string(5000, 'x');
    const auto caller = receipt.caller;
    receipts.keep(std::move(receipt));
    EXPECT_EQ(receipts.find("req_1", *caller)->problem.size(), 100U);
}

TEST_F(ReceiptsTest, an_explanation_of_what_is_not_kept_says_why_that_may_be) {
    Call call;
    call.principal = person();
    const auto refused = explain(receipts, call, {{"req_1"}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::not_found);
    EXPECT_EQ(refused.error().code, "requests.not_found");
}

}  // namespace
}  // namespace synapsex::api_gateway
