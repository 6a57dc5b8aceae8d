#include "controlplane/services/audit/denials.hpp"

#include <gmock/gmock.h>

#include "controlplane/services/audit/audit_fixture.hpp"
#include "tests/support/fake_clock.hpp"

namespace synapsex::audit {
namespace {

using namespace std::chrono_literals;

class DenialsTest : public ::testing::Test {
 protected:
    Call call_of(std::string credential) {
        Call call = Call::system("test", Deadline::never()).of_tenant(tenant);
        Principal principal;
        principal.kind = PrincipalKind::api_key;
        principal.tenant = tenant;
        principal.credential_id = std::move(credential);
        call.principal = std::make_shared<const Principal>(principal);
        call.client_address = "192.0.2.7";
        return call;
    }
    void deny(const std::string& credential, const std::string& operation) {
        auto call = call_of(credential);
        call.request_id = "req_" + std::to_string(++requests);
        denials.note(call, {operation, "tests.write", "auth.scope_missing"});
    }
    std::vector<outbox::Message> told() { return testing::posted_messages(database); }
    Result<Done> flush() { return denials.flush(system, Denials::Due::by_time); }

    testing::FakeClock clock;
    SystemRandom random;
    testing::TestDatabase database{clock, {{"outbox", outbox::kMigrations}}};
    Denials denials{*database, clock, random, database.metrics()};
    TenantId tenant = TenantId::make(clock.now(), random);
    Call system = Call::system("test", Deadline::never());
    int requests = 0;
};

TEST_F(DenialsTest, a_refusal_is_told_with_operation_scope_and_request) {
    deny("key_1", "tests.change");
    EXPECT_TRUE(flush());
    const auto messages = told();
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].type, "access.denied");
    EXPECT_EQ(messages[0].kind, outbox::MessageKind::audit);
    EXPECT_EQ(messages[0].tenant_id, tenant.text());
    EXPECT_EQ(messages[0].subject, "tests.change");
    EXPECT_EQ(messages[0].request_id, "req_1");
    EXPECT_EQ(messages[0].client_address, "192.0.2.7");
    EXPECT_NE(messages[0].actor.find("key_1"), std::string::npos);
    EXPECT_EQ(
        messages[0].data, R"({"operation":"tests.change","scope":"tests.write",)"
                          R"("code":"auth.scope_missing","count":1})"
    );
    EXPECT_TRUE(flush());
    EXPECT_EQ(told().size(), 1U);
}

TEST_F(DenialsTest, a_storm_of_one_credential_is_an_entry_a_minute_that_counts) {
    for (int second = 0; second < 61; ++second) {
        for (int i = 0; i < 100; ++i) deny("key_1", "tests.change");
        EXPECT_TRUE(flush());
        clock.advance(1s);
    }
    const auto messages = told();
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_NE(messages[0].data.find(R"("count":100,)"), std::string::npos) << messages[0].data;
    EXPECT_NE(messages[1].data.find(R"("count":6000,)"), std::string::npos) << messages[1].data;
    EXPECT_NE(messages[1].data.find(R"("lastAt":)"), std::string::npos);
    EXPECT_EQ(messages[1].request_id, "req_101") << "of the first that was not told of";
}

TEST_F(DenialsTest, each_credential_and_operation_is_told_of_by_itself) {
    deny("key_1", "tests.change");
    deny("key_1", "tests.remove");
    deny("key_2", "tests.change");
    EXPECT_TRUE(flush());
    EXPECT_EQ(told().size(), 3U);
}

TEST_F(DenialsTest, what_is_counted_is_told_at_the_end) {
    deny("key_1", "tests.change");
    EXPECT_TRUE(flush());
    deny("key_1", "tests.change");
    EXPECT_TRUE(flush());
    EXPECT_EQ(told().size(), 1U);
    EXPECT_TRUE(denials.flush(system, Denials::Due::all));
    EXPECT_EQ(told().size(), 2U);
}

TEST_F(DenialsTest, what_could_not_be_written_is_told_later_and_counted_once) {
    deny("key_1", "tests.change");
    const auto late = Call::system("test", Deadline::after(clock, -1s));
    EXPECT_FALSE(denials.flush(late, Denials::Due::by_time));
    deny("key_1", "tests.change");
    EXPECT_TRUE(flush());
    const auto messages = told();
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].request_id, "req_1");
    EXPECT_NE(messages[0].data.find(R"("count":2)"), std::string::npos) << messages[0].data;
}

TEST_F(DenialsTest, those_beyond_the_limit_are_counted_in_a_metric) {
    for (std::size_t i = 0; i < Denials::kNotedMax + 5; ++i)
        deny("key_" + std::to_string(i), "tests.change");
    EXPECT_TRUE(flush());
    EXPECT_EQ(told().size(), Denials::kNotedMax);
    const auto text = database.metrics().render();
    EXPECT_NE(text.find("synapsex_audit_denials_unrecorded_total 5"), std::string::npos);
    clock.advance(61s);
    EXPECT_TRUE(flush());
    deny("key_new", "tests.change");
    EXPECT_TRUE(flush());
    EXPECT_EQ(told().size(), Denials::kNotedMax + 1) << "there is room again";
}

}  // namespace
}  // namespace synapsex::audit
