// What a conversation does while the agent's key is replaced, and where only the control plane
// knows which key counts.

#include <algorithm>
#include <optional>

#include "agent/core/conversation_fixture.hpp"

namespace synapsex::agent {
namespace {

using Kind = CallFailure::Kind;

class ReplacingKey : public ConversationTest {
 protected:
    KeySlot signer() {
        auto action = next();
        EXPECT_TRUE(std::holds_alternative<FetchToken>(action));
        return std::get<FetchToken>(action).key;
    }
    void refuse(std::string code) {
        conversation_.on_token_failed(
            {.kind = Kind::refused, .status = 401, .code = std::move(code)}
        );
    }
    void take() { conversation_.on_token({"token", 900s}); }
    bool is_registering() { return std::holds_alternative<RegisterKey>(next()); }
    std::optional<KeySlot> settled() {
        auto action = next();
        const auto* wish = std::get_if<SettleKey>(&action);
        return wish == nullptr ? std::nullopt : std::optional{wish->taken};
    }
    // The control plane asks for it, and the key is made.
    void want() {
        beat();
        heartbeat();
        auto wish = answer();
        wish.rotate_key = true;
        conversation_.on_heartbeat(wish, 0);
        ASSERT_TRUE(is_registering());
        conversation_.set_keys(true, false);
    }
};

TEST_F(ReplacingKey, registers_the_next_key_and_buys_the_next_token_with_it) {
    want();
    conversation_.on_key_registered();
    EXPECT_EQ(signer(), KeySlot::next);
    take();
    EXPECT_EQ(settled(), KeySlot::next);
    conversation_.set_keys(false, true);
    EXPECT_EQ(heartbeat().hold, 55s);
    clock_.advance(15min);
    EXPECT_EQ(signer(), KeySlot::current) << "it is the key now";
}

TEST_F(ReplacingKey, registers_again_while_the_answer_does_not_come_and_beats_meanwhile) {
    want();
    for (int i = 0; i < 5; ++i) {
        conversation_.on_key_failed({.kind = Kind::cut});
        bool has_registered = false;
        while (!has_registered) {
            auto action = next();
            has_registered = std::holds_alternative<RegisterKey>(action);
            if (std::holds_alternative<FetchToken>(action)) take();
            if (std::holds_alternative<SendHeartbeat>(action))
                conversation_.on_heartbeat(answer(), 0);
            clock_.advance(10s);
        }
    }
    conversation_.on_key_registered();
    EXPECT_EQ(signer(), KeySlot::next);
}

TEST_F(ReplacingKey, finds_the_key_that_counts_after_it_was_killed) {
    conversation_.set_keys(true, false);
    EXPECT_EQ(signer(), KeySlot::current);
    refuse("auth.key_replaced");
    EXPECT_EQ(signer(), KeySlot::next);
    EXPECT_EQ(waited_, 0ms) << "there is nothing to wait for";
    take();
    EXPECT_EQ(settled(), KeySlot::next);
}

TEST_F(ReplacingKey, goes_on_with_a_registration_that_broke_off) {
    conversation_.set_keys(true, false);
    EXPECT_EQ(signer(), KeySlot::current);
    take();
    EXPECT_TRUE(is_registering());
}

TEST_F(ReplacingKey, falls_back_to_the_former_key_where_the_server_knows_no_other) {
    conversation_.set_keys(false, true);
    EXPECT_EQ(signer(), KeySlot::current);
    refuse("auth.assertion_bad_signature");
    EXPECT_EQ(signer(), KeySlot::former);
    take();
    EXPECT_EQ(settled(), KeySlot::former);
    conversation_.set_keys(true, false);
    EXPECT_TRUE(is_registering()) << "what had replaced it replaces it again";
}

TEST_F(ReplacingKey, works_with_a_key_that_the_disk_does_not_settle_yet) {
    conversation_.set_keys(true, false);
    signer();
    refuse("auth.key_replaced");
    EXPECT_EQ(signer(), KeySlot::next);
    take();
    EXPECT_EQ(settled(), KeySlot::next);
    conversation_.on_key_late();
    beat();
    clock_.advance(1min);
    EXPECT_EQ(settled(), KeySlot::next);
    conversation_.on_key_late();
    clock_.advance(15min);
    EXPECT_EQ(signer(), KeySlot::next);
}

TEST_F(ReplacingKey, falls_silent_when_its_only_key_was_replaced) {
    EXPECT_EQ(signer(), KeySlot::current);
    refuse("auth.key_replaced");
    EXPECT_EQ(signer(), KeySlot::current);
    EXPECT_GE(waited_, 12min);
}

TEST_F(ReplacingKey, falls_silent_when_its_key_was_replaced_whatever_is_said_of_older_ones) {
    conversation_.set_keys(false, true);
    EXPECT_EQ(signer(), KeySlot::current);
    refuse("auth.key_replaced");
    EXPECT_EQ(signer(), KeySlot::former);
    refuse("auth.assertion_bad_signature");
    EXPECT_EQ(signer(), KeySlot::current);
    EXPECT_GE(waited_, 12min);
}

TEST_F(ReplacingKey, backs_off_when_no_key_is_taken) {
    conversation_.set_keys(true, true);
    auto longest = 0ms;
    for (int round = 0; round < 30; ++round)
        for (const auto key : {KeySlot::current, KeySlot::next, KeySlot::former}) {
            EXPECT_EQ(signer(), key);
            longest = std::max(longest, waited_);
            refuse("auth.assertion_bad_signature");
        }
    EXPECT_GT(longest, 30s);
}

TEST_F(ReplacingKey, an_outage_says_nothing_of_keys) {
    conversation_.set_keys(true, true);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(signer(), KeySlot::current);
        conversation_.on_token_failed({.kind = Kind::unreachable});
    }
}

}  // namespace
}  // namespace synapsex::agent
