// Two replicas on one database: which of them says whether an agent lives.

#include "controlplane/services/agent_registry/custody.hpp"

#include "controlplane/services/agent_registry/agent_registry_fixture.hpp"

namespace synapsex::agent_registry {
namespace {

constexpr db::Query kEndReplicas{
    "test.end_replicas", "UPDATE agent_registry_replicas SET alive_until = 1"};

class CustodyTest : public AgentRegistryTest {
 protected:
    // One process on the database, with what it keeps in memory.
    struct Replica {
        Replica(CustodyTest& test, const std::string& name)
            : presence{test.clock, name},
              enrollment{{test.database, test.clock, test.random, test.vms, test.tenants,
                          presence, "issuer"}},
              heartbeats{{test.database, test.clock, test.random, metrics, parking, test.vms,
                          presence, enrollment.incarnation()}},
              custody{{test.database, test.clock, presence}} {
            enrollment.set_incarnation("incarnation-1");
            custody.renew(test.operator_call()).value();
            heartbeats.flush(test.operator_call());
        }
        Metrics metrics;
        api::ParkingLot parking;
        PresenceBook presence;
        Enrollment enrollment;
        Heartbeats heartbeats;
        Custody custody;
    };

    Enrolled enroll_at(Replica& replica) {
        clock.advance(1ms);
        return replica.enrollment.enroll(call_of({}), wish_of(make_token())).value();
    }
    void beat_at(Replica& replica, const Enrolled& agent) {
        Heartbeat heartbeat;
        heartbeat.agent_id = agent.agent_id;
        heartbeat.sequence = ++sequence;
        replica.heartbeats.beat(call_of(agent.tenant_id, agent.agent_id), heartbeat).value();
    }
    void flush(Replica& replica) { replica.heartbeats.flush(operator_call()); }
    void renew(Replica& replica) {
        replica.custody.renew(operator_call()).value();
        flush(replica);
    }
    State state_of(const Enrolled& agent) {
        const auto state = agents.get(operator_call(), {agent.agent_id}).value().status;
        EXPECT_EQ(vms.states[agent.vm_id], state);
        return state;
    }
    // As if they had been silent for long enough by the database's clock.
    void end_replicas() {
        test_database.in_write([](db::Session& session) { session.execute(kEndReplicas); });
    }

    std::int64_t sequence = 0;
};

TEST_F(CustodyTest, an_agent_that_goes_over_to_another_replica_is_not_late_at_the_first) {
    Replica one{*this, "one"};
    Replica two{*this, "two"};
    const auto agent = enroll_at(one);
    beat_at(one, agent);
    flush(one);
    clock.advance(100s);
    beat_at(two, agent);
    flush(two);
    clock.advance(100s);
    flush(one);
    flush(two);
    EXPECT_EQ(state_of(agent), State::online);
    EXPECT_FALSE(one.presence.knows(agent.agent_id));
    clock.advance(51s);
    flush(two);
    EXPECT_EQ(state_of(agent), State::late);
}

TEST_F(CustodyTest, an_agent_may_call_another_replica_before_the_one_that_enrolled_it_wrote_it) {
    Replica one{*this, "one"};
    Replica two{*this, "two"};
    const auto agent = enroll_at(one);
    beat_at(two, agent);
    flush(two);
    flush(one);
    EXPECT_EQ(state_of(agent), State::online);
}

TEST_F(CustodyTest, an_agent_that_comes_back_is_the_first_ones_again) {
    Replica one{*this, "one"};
    Replica two{*this, "two"};
    renew(one);
    const auto agent = enroll_at(one);
    for (auto* replica : {&one, &two, &one}) {
        beat_at(*replica, agent);
        flush(*replica);
    }
    clock.advance(140s);
    beat_at(one, agent);
    clock.advance(20s);
    flush(two);
    flush(one);
    EXPECT_EQ(state_of(agent), State::online);
}

TEST_F(CustodyTest, a_replica_that_starts_leaves_agents_to_those_that_live) {
    Replica one{*this, "one"};
    const auto agent = enroll_at(one);
    beat_at(one, agent);
    flush(one);
    Replica two{*this, "two"};
    EXPECT_EQ(state_of(agent), State::online);
    clock.advance(kOfflineAfter + 1s);
    flush(two);
    EXPECT_EQ(state_of(agent), State::online) << "the other one says so, or nobody";
    flush(one);
    EXPECT_EQ(state_of(agent), State::offline);
}

TEST_F(CustodyTest, agents_of_a_replica_that_is_gone_are_unknown_until_they_call) {
    Replica two{*this, "two"};
    std::optional<Replica> one{std::in_place, *this, "one"};
    renew(two);
    const auto calls = enroll_at(*one);
    const auto silent = enroll_at(*one);
    for (const auto* agent : {&calls, &silent}) beat_at(*one, *agent);
    flush(*one);
    one->custody.leave(operator_call()).value();
    one.reset();
    renew(two);
    EXPECT_EQ(state_of(calls), State::unknown);
    EXPECT_EQ(state_of(silent), State::unknown);
    beat_at(two, calls);
    clock.advance(kOfflineAfter + 1s);
    beat_at(two, calls);
    flush(two);
    EXPECT_EQ(state_of(calls), State::online);
    EXPECT_EQ(state_of(silent), State::offline);
}

TEST_F(CustodyTest, a_replica_that_was_stopped_for_long_gets_its_agents_back_as_they_call) {
    Replica one{*this, "one"};
    Replica two{*this, "two"};
    renew(one);
    const auto agent = enroll_at(one);
    beat_at(one, agent);
    flush(one);
    renew(two);
    end_replicas();
    renew(two);
    EXPECT_EQ(state_of(agent), State::unknown);
    renew(one);
    beat_at(one, agent);
    flush(one);
    EXPECT_EQ(state_of(agent), State::online);
    clock.advance(kOfflineAfter + 1s);
    beat_at(one, agent);
    flush(two);
    flush(one);
    EXPECT_EQ(state_of(agent), State::online);
}

TEST_F(CustodyTest, an_agent_that_another_replica_removed_is_forgotten) {
    Replica one{*this, "one"};
    const auto agent = enroll_at(one);
    beat_at(one, agent);
    flush(one);
    agents.remove(operator_call(), {agent.agent_id}).value();
    clock.advance(kLateAfter + 1s);
    flush(one);
    EXPECT_FALSE(one.presence.knows(agent.agent_id));
}

TEST_F(CustodyTest, an_unchanged_agent_that_goes_on_calling_is_written_as_seldom_as_ever) {
    Replica one{*this, "one"};
    const auto agent = enroll_at(one);
    beat_at(one, agent);
    flush(one);
    vms.batches.clear();
    for (int i = 0; i < 5; ++i) {
        clock.advance(55s);
        beat_at(one, agent);
        flush(one);
    }
    EXPECT_TRUE(vms.batches.empty());
}

// One that has started a moment ago is not known yet, and may have had the call in between.
TEST_F(CustodyTest, a_gap_in_an_agents_calls_is_a_claim_also_while_no_other_replica_is_known) {
    Replica one{*this, "one"};
    const auto agent = enroll_at(one);
    beat_at(one, agent);
    flush(one);
    vms.batches.clear();
    clock.advance(55s);
    ++sequence;
    beat_at(one, agent);
    flush(one);
    EXPECT_FALSE(vms.batches.empty());
}

}  // namespace
}  // namespace synapsex::agent_registry
