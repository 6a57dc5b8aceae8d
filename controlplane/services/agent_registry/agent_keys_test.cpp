#include "controlplane/services/agent_registry/agent_keys.hpp"

#include "controlplane/services/agent_registry/agent_registry_fixture.hpp"
#include "tests/support/posted_messages.hpp"

namespace synapsex::agent_registry {
namespace {

using crypto::Ed25519Key;
using ::testing::ElementsAre;

class AgentKeysTest : public AgentRegistryTest {
 protected:
    static constexpr const char* kIssuer = "http://127.0.0.1:8080";

    Ed25519Key first = Ed25519Key::generate(random);
    Ed25519Key second = Ed25519Key::generate(random);
    std::string token = make_token({.uses = {{5}}});
    Enrolled agent = enroll_with(first);

    Enrolled enroll_with(const Ed25519Key& key, const std::string& name = "web-1") {
        clock.advance(1ms);
        auto wish = wish_of(token, name);
        wish.public_key = {key.public_key_base64url()};
        return enrollment.enroll(call_of({}), wish).value();
    }
    void state_capabilities(List<std::int64_t, kCapabilitiesMax> numbers) {
        Heartbeat heartbeat;
        heartbeat.capabilities = std::move(numbers);
        ASSERT_TRUE(beat(agent, heartbeat));
        heartbeats.flush(operator_call());
    }
    std::string want() {
        const auto wanted = keys.want(operator_call(), {agent.agent_id});
        return wanted ? "" : wanted.error().code;
    }
    bool is_told() {
        return std::get<HeartbeatAnswer>(beat(agent).value()).rotate_key;
    }
    PutKey change(const Ed25519Key& from, const Ed25519Key& to) {
        const auto id = agent.agent_id.text();
        const auto from_id = from.key_id();
        const auto key = to.public_key_base64url();
        const auto statement = crypto::statement_of(
            crypto::KeyChange{
                .agent_id = id, .issuer = kIssuer, .former_key_id = from_id, .public_key = key}
        );
        return {
            agent.agent_id,
            {key},
            {from_id},
            {crypto::to_base64url(from.sign(statement))},
            {crypto::to_base64url(to.sign(statement))},
        };
    }
    std::string put(const PutKey& wish) {
        const auto taken = keys.put(call_of(tenant, agent.agent_id), wish);
        return taken ? "" : taken.error().code;
    }
    AgentIdentity identity() { return agents.get_identity(call_of({}), agent.agent_id).value(); }
    std::string use(const Ed25519Key& key) {
        const auto used =
            agents.adopt_next_key(call_of(tenant), agent.agent_id, key.public_key());
        return used ? "" : used.error().code;
    }
    AgentKey shown() { return agents.get(operator_call(), {agent.agent_id}).value().key; }
    std::vector<std::string> news() {
        std::vector<std::string> kinds;
        for (const auto& message : testing::posted_messages(test_database))
            kinds.push_back(message.type);
        return kinds;
    }
};

TEST_F(AgentKeysTest, an_agent_is_told_with_each_heartbeat_until_it_registers_a_key) {
    state_capabilities({1, 5});
    EXPECT_FALSE(is_told());
    EXPECT_EQ(want(), "");
    EXPECT_TRUE(is_told());
    EXPECT_EQ(shown().wanted_at, clock.now());
    const auto since = clock.now();
    clock.advance(1min);
    EXPECT_EQ(want(), "") << "it may be asked twice";
    EXPECT_EQ(shown().wanted_at, since);
    EXPECT_EQ(put(change(first, second)), "");
    EXPECT_FALSE(is_told());
    EXPECT_EQ(shown().wanted_at, std::nullopt);
}

TEST_F(AgentKeysTest, an_agent_that_does_not_know_how_is_not_asked) {
    EXPECT_EQ(want(), "agents.capability_missing") << "it has said nothing yet";
    state_capabilities({1, 15, 51});
    EXPECT_EQ(want(), "agents.capability_missing");
    EXPECT_EQ(keys.want(call_of(stranger), {agent.agent_id}).error().code, "agents.not_found");
}

TEST_F(AgentKeysTest, what_another_replica_was_asked_is_heard_when_the_agent_proves_itself) {
    state_capabilities({5});
    PresenceBook elsewhere{clock};
    AgentKeys other{{database, clock, random, elsewhere, kIssuer}};
    ASSERT_TRUE(other.want(operator_call(), {agent.agent_id}));
    EXPECT_FALSE(is_told());
    identity();
    EXPECT_TRUE(is_told());
}

TEST_F(AgentKeysTest, both_keys_count_until_the_next_one_is_used) {
    EXPECT_EQ(put(change(first, second)), "");
    EXPECT_EQ(identity().public_key, first.public_key());
    EXPECT_EQ(identity().next_public_key, second.public_key());
    EXPECT_EQ(shown().next_id, second.key_id());
    std::vector<AgentId> doubted;
    agents.on_doubted([&](const AgentId& id) { doubted.push_back(id); });
    clock.advance(1min);
    EXPECT_EQ(use(second), "");
    EXPECT_THAT(doubted, ElementsAre(agent.agent_id));
    EXPECT_EQ(identity().public_key, second.public_key());
    EXPECT_EQ(identity().next_public_key, "");
    EXPECT_EQ(identity().former_public_key, first.public_key());
    EXPECT_EQ(identity().key_since, clock.now());
    EXPECT_EQ(shown().id, second.key_id());
    EXPECT_EQ(use(second), "") << "two assertions at once";
    EXPECT_THAT(doubted, ElementsAre(agent.agent_id));
    EXPECT_THAT(
        news(), ElementsAre(
                    "enrollment_token.created", "agent.enrolled", "agent.key_registered",
                    "agent.key_replaced"
                )
    );
}

TEST_F(AgentKeysTest, registering_the_same_key_again_changes_nothing) {
    EXPECT_EQ(put(change(first, second)), "");
    const auto registered = news().size();
    const auto until = clock.now() + 24h;
    clock.advance(1h);
    const auto again = keys.put(call_of(tenant, agent.agent_id), change(first, second));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->former_key_until, until);
    EXPECT_EQ(again->key_id, second.key_id());
    EXPECT_EQ(news().size(), registered);
}

TEST_F(AgentKeysTest, the_former_key_ends_after_a_day_even_if_the_next_one_is_never_used) {
    EXPECT_EQ(put(change(first, second)), "");
    clock.advance(24h - 1us);
    EXPECT_EQ(identity().public_key, first.public_key());
    clock.advance(1us);
    EXPECT_EQ(identity().public_key, "");
    EXPECT_EQ(identity().former_public_key, first.public_key());
    EXPECT_EQ(identity().next_public_key, second.public_key());
    const auto third = Ed25519Key::generate(random);
    EXPECT_EQ(put(change(first, third)), "agents.key_not_current");
    EXPECT_EQ(use(second), "");
    EXPECT_EQ(identity().public_key, second.public_key());
}

TEST_F(AgentKeysTest, only_a_key_that_was_registered_takes_over) {
    const auto third = Ed25519Key::generate(random);
    EXPECT_EQ(put(change(first, second)), "");
    EXPECT_EQ(put(change(first, third)), "") << "the agent may have lost the other one";
    EXPECT_EQ(use(second), "");
    EXPECT_EQ(identity().public_key, first.public_key());
    EXPECT_EQ(use(third), "");
    EXPECT_EQ(identity().public_key, third.public_key());
}

TEST_F(AgentKeysTest, both_signatures_have_to_hold) {
    const auto thief = Ed25519Key::generate(random);
    auto wish = change(first, second);
    wish.signature = change(thief, second).signature;
    EXPECT_EQ(put(wish), "agents.key_unproved") << "an access token alone";
    wish = change(first, second);
    wish.proof = change(first, thief).proof;
    EXPECT_EQ(put(wish), "agents.key_unproved") << "somebody else's public key";
    wish = change(first, second);
    wish.public_key = {thief.public_key_base64url()};
    EXPECT_EQ(put(wish), "agents.key_unproved");
    wish = change(thief, second);
    EXPECT_EQ(put(wish), "agents.key_not_current");
    EXPECT_EQ(put(change(first, first)), "agents.key_not_current");
    wish = change(first, second);
    wish.proof = {std::string(86, '!')};
    EXPECT_EQ(put(wish), "agents.key_invalid");
    EXPECT_EQ(identity().next_public_key, "");
}

TEST_F(AgentKeysTest, a_change_is_of_one_agent_and_one_control_plane) {
    const auto other = enroll_with(Ed25519Key::generate(random), "web-2");
    const auto wish = change(first, second);
    EXPECT_EQ(
        keys.put(call_of(tenant, other.agent_id), wish).error().code, "agents.not_found"
    );
    AgentKeys elsewhere{{database, clock, random, presence, "https://other.example"}};
    EXPECT_EQ(
        elsewhere.put(call_of(tenant, agent.agent_id), wish).error().code, "agents.key_unproved"
    );
}

TEST_F(AgentKeysTest, the_key_of_another_agent_is_taken) {
    enroll_with(second, "web-2");
    EXPECT_EQ(put(change(first, second)), "agents.key_taken");
    // Two that register the same key: the first to use it has it.
    const auto third = Ed25519Key::generate(random);
    EXPECT_EQ(put(change(first, third)), "");
    enroll_with(third, "web-3");
    EXPECT_EQ(use(third), "agents.key_taken");
    EXPECT_EQ(identity().public_key, first.public_key());
}

TEST_F(AgentKeysTest, of_a_removed_agent_no_key_is_taken) {
    EXPECT_EQ(put(change(first, second)), "");
    ASSERT_TRUE(agents.remove(operator_call(), {agent.agent_id}));
    EXPECT_EQ(use(second), "");
    EXPECT_EQ(put(change(first, second)), "agents.not_found");
    EXPECT_EQ(
        agents.get_identity(call_of({}), agent.agent_id).error().code, "auth.agent_revoked"
    );
}

TEST_F(AgentKeysTest, the_held_poll_of_a_removed_agent_is_refused) {
    Heartbeat heartbeat;
    heartbeat.hold_seconds = 50;
    auto held = std::move(std::get<api::Held<HeartbeatAnswer>>(beat(agent, heartbeat).value()));
    EXPECT_TRUE(held.finish(api::Wake::timeout));
    presence.remove(agent.agent_id);
    EXPECT_TRUE(held.finish(api::Wake::timeout)) << "it has only gone to another replica";
    ASSERT_TRUE(agents.remove(operator_call(), {agent.agent_id}));
    const auto answer = held.finish(api::Wake::news);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, "auth.agent_revoked");
    EXPECT_EQ(answer.error().kind, Kind::unauthenticated);
}

}  // namespace
}  // namespace synapsex::agent_registry
