#include "controlplane/services/auth/refused_sign_ins.hpp"

#include "controlplane/services/auth/auth_fixture.hpp"
#include "tests/support/posted_messages.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Minutes = RefusedSignIns::Minutes;

class RefusedSignInsTest : public AuthFixture {
 protected:
    void fail(const std::string& email, const std::string& address, int times = 1) {
        auto call = nobody();
        call.client_address = address;
        call.user_agent = "guesser/1";
        for (int i = 0; i < times; ++i)
            EXPECT_FALSE(service.login(call, {{email}, {"wrong"}}));
    }
    void flush(Minutes minutes = Minutes::over) {
        EXPECT_TRUE(service.refused_sign_ins().flush(nobody(), minutes));
    }
    std::vector<outbox::Message> told() {
        auto messages = testing::posted_messages(database);
        std::erase_if(messages, [](const auto& each) { return each.type != "sign_in.refused"; });
        return messages;
    }

    const TokenPair ada = registered("ada@example.com");
};

TEST_F(RefusedSignInsTest, are_one_audit_record_for_an_account_a_place_and_a_minute) {
    fail("ada@example.com", "192.0.2.7", 8);
    flush();
    EXPECT_THAT(told(), IsEmpty()) << "the minute is not over";
    clock.advance(1min);
    flush();
    flush();
    const auto messages = told();
    ASSERT_THAT(messages, SizeIs(1));
    EXPECT_EQ(messages[0].kind, outbox::MessageKind::audit);
    EXPECT_EQ(messages[0].subject, ada.user.id.text());
    EXPECT_EQ(messages[0].tenant_id, ada.user.tenant_id.text());
    EXPECT_EQ(messages[0].client_address, "192.0.2.7");
    EXPECT_EQ(messages[0].request_id, "req_1");
    EXPECT_EQ(messages[0].actor, "[]") << "nobody has proved to be anybody";
    EXPECT_EQ(
        messages[0].data,
        R"({"wrong":5,"heldUp":3,"isKnownAccount":true,"userAgent":"guesser/1"})"
    );
}

TEST_F(RefusedSignInsTest, of_an_account_that_is_not_there_say_nothing_of_what_was_typed) {
    fail("hunter2-my-password", "192.0.2.7");
    fail("nobody@example.com", "192.0.2.7");
    flush(Minutes::all);
    const auto messages = told();
    ASSERT_THAT(messages, SizeIs(1)) << "one place, no account";
    EXPECT_EQ(messages[0].tenant_id, "");
    EXPECT_EQ(messages[0].subject, "");
    EXPECT_THAT(messages[0].data, HasSubstr(R"("wrong":2,"heldUp":0,"isKnownAccount":false)"));
    EXPECT_THAT(outbox::posted_line(messages[0]), Not(HasSubstr("hunter2")));
    EXPECT_THAT(outbox::posted_line(messages[0]), Not(HasSubstr("nobody@")));
}

TEST_F(RefusedSignInsTest, of_a_storm_from_everywhere_are_few_and_every_one_is_counted) {
    for (int i = 0; i < 250; ++i)
        fail("nobody@example.com", "203.0.113." + std::to_string(i));
    flush(Minutes::all);
    const auto messages = told();
    EXPECT_THAT(messages, SizeIs(RefusedSignIns::kNotedMax + 1));
    std::int64_t counted = 0;
    int of_many = 0;
    for (const auto& each : messages) {
        const auto at = each.data.find(R"("wrong":)") + 8;
        counted += std::stoll(each.data.substr(at));
        counted += std::stoll(each.data.substr(each.data.find(R"("heldUp":)") + 9));
        if (each.data.find("isOfManyAccounts") != std::string::npos) ++of_many;
    }
    EXPECT_EQ(counted, 250);
    EXPECT_EQ(of_many, 1);
}

TEST_F(RefusedSignInsTest, that_cannot_be_told_are_told_later) {
    fail("ada@example.com", "192.0.2.7");
    auto late = Call::system("test", Deadline::at(clock.steady_now()));
    EXPECT_FALSE(service.refused_sign_ins().flush(late, Minutes::all));
    EXPECT_THAT(told(), IsEmpty());
    flush(Minutes::all);
    EXPECT_THAT(told(), SizeIs(1));
}

}  // namespace
}  // namespace synapsex::auth
