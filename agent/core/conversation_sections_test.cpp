// What the conversation says of inventory sections, and when.

#include <gmock/gmock.h>

#include "agent/core/conversation_fixture.hpp"

namespace synapsex::agent {
namespace {

using Kind = CallFailure::Kind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(ConversationTest, announces_each_hash_until_it_was_answered_and_then_no_more) {
    conversation_.set_section({"os", "a"});
    EXPECT_THAT(heartbeat().hashes, ElementsAre(SectionHash{"os", "a"}));
    fail(Kind::unreachable);
    EXPECT_THAT(beat().hashes, ElementsAre(SectionHash{"os", "a"}));
    EXPECT_THAT(beat().hashes, IsEmpty());
    conversation_.set_section({"os", "b"});
    EXPECT_THAT(beat().hashes, ElementsAre(SectionHash{"os", "b"}));
}

TEST_F(ConversationTest, announces_everything_again_to_another_incarnation) {
    conversation_.set_section({"os", "a"});
    beat();
    heartbeat();
    auto restored = answer();
    restored.server_incarnation = "inc-2";
    conversation_.on_heartbeat(restored, 0);
    EXPECT_EQ(conversation_.server_incarnation(), "inc-2");
    EXPECT_THAT(heartbeat().hashes, ElementsAre(SectionHash{"os", "a"}));
}

TEST_F(ConversationTest, sends_wanted_sections_before_the_next_heartbeat) {
    conversation_.set_section({"os", "a"});
    heartbeat();
    be_asked_for({"os", "unheard-of"});
    const auto action = next();
    ASSERT_TRUE(std::holds_alternative<PutSection>(action));
    EXPECT_EQ(std::get<PutSection>(action).section, "os");
    conversation_.on_section_stored({"os", "a"});
    EXPECT_TRUE(std::holds_alternative<SendHeartbeat>(next()));
}

TEST_F(ConversationTest, keeps_beating_while_a_section_cannot_be_stored) {
    conversation_.set_section({"os", "a"});
    heartbeat();
    be_asked_for({"os"});
    ASSERT_TRUE(std::holds_alternative<PutSection>(next()));
    conversation_.on_section_failed({"os", "a"}, {.kind = Kind::refused, .status = 503});
    EXPECT_TRUE(std::holds_alternative<SendHeartbeat>(next()));
}

TEST_F(ConversationTest, beats_between_sections_that_cannot_be_stored) {
    for (const auto* name : {"cpu", "disks", "os"}) conversation_.set_section({name, "a"});
    heartbeat();
    be_asked_for({"cpu", "disks", "os"});
    for (const auto* name : {"cpu", "disks"}) {
        const auto action = next();
        ASSERT_TRUE(std::holds_alternative<PutSection>(action));
        EXPECT_EQ(std::get<PutSection>(action).section, name);
        conversation_.on_section_failed(
            {name, "a"}, {.kind = Kind::refused, .status = 503, .retry_after = 60s}
        );
        EXPECT_EQ(heartbeat().hold, 0s) << "another one waits";
        conversation_.on_heartbeat(answer(), 0);
    }
}

TEST_F(ConversationTest, does_not_wait_for_a_section_that_takes_long_to_collect) {
    conversation_.set_section({"os", "a"});
    heartbeat();
    be_asked_for({"os"});
    ASSERT_TRUE(std::holds_alternative<PutSection>(next()));
    conversation_.on_section_late();
    EXPECT_EQ(beat().hold, 55s);
    clock_.advance(1min);
    EXPECT_TRUE(std::holds_alternative<PutSection>(next())) << "still wanted";
}

TEST_F(ConversationTest, asks_for_no_other_section_while_one_takes_long) {
    for (const auto* name : {"cpu", "os"}) conversation_.set_section({name, "a"});
    heartbeat();
    be_asked_for({"cpu", "os"});
    for (int i = 0; i < 10; ++i) {
        const auto action = next();
        ASSERT_TRUE(std::holds_alternative<PutSection>(action));
        EXPECT_EQ(std::get<PutSection>(action).section, "cpu") << "its answer would be in the way";
        conversation_.on_section_late();
        EXPECT_EQ(beat().hold, 55s);
        EXPECT_LE(waited_, 1s);
    }
    next();
    conversation_.on_section_stored({"cpu", "a"});
    const auto action = next();
    ASSERT_TRUE(std::holds_alternative<PutSection>(action));
    EXPECT_EQ(std::get<PutSection>(action).section, "os");
}

TEST_F(ConversationTest, stays_present_while_sections_alone_are_unauthenticated) {
    conversation_.set_section({"os", "a"});
    int heartbeats = 0;
    int puts = 0;
    for (const auto end = clock_.now() + 24h; clock_.now() < end;) {
        const auto action = next();
        if (std::holds_alternative<FetchToken>(action)) {
            conversation_.on_token({"token", 900s});
        } else if (const auto* sent = std::get_if<SendHeartbeat>(&action)) {
            ++heartbeats;
            clock_.advance(sent->hold);
            be_asked_for({"os"});
        } else {
            ++puts;
            conversation_.on_section_failed({"os", "a"}, {.kind = Kind::refused, .status = 401});
        }
    }
    EXPECT_GT(heartbeats, 24 * 60);
    EXPECT_LT(puts, 200);
}

TEST_F(ConversationTest, learns_the_time_anew_when_a_signature_is_of_another_one) {
    conversation_.set_section({"os", "a"});
    beat();
    heartbeat();
    be_asked_for({"os"});
    clock_.jump(10min);
    const auto servers = [&] { return clock_.now() - 10min; };
    ASSERT_TRUE(std::holds_alternative<PutSection>(next()));
    EXPECT_EQ(conversation_.assertion_time(), servers() + 10min);
    conversation_.on_section_failed(
        {"os", "a"},
        {.kind = Kind::refused, .status = 422, .code = "inventory.signature_skewed"}
    );
    ASSERT_TRUE(wants_token());
    conversation_.on_token_failed({
        .kind = Kind::refused,
        .status = 401,
        .code = "auth.assertion_skewed",
        .server_time = servers(),
    });
    ASSERT_TRUE(wants_token());
    conversation_.on_token({"token", 900s});
    EXPECT_EQ(heartbeat().hold, 0s);
    be_asked_for({"os"});
    clock_.advance(2min);
    ASSERT_TRUE(std::holds_alternative<PutSection>(next()));
    EXPECT_EQ(conversation_.assertion_time(), servers());
}

}  // namespace
}  // namespace synapsex::agent
