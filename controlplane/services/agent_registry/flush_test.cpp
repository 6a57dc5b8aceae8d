// Presence on its way to the database, when that fails.

#include "controlplane/services/agent_registry/agent_registry_fixture.hpp"
#include "controlplane/services/agent_registry/module.hpp"

namespace synapsex::agent_registry {
namespace {

using ::testing::ElementsAre;

class FlushTest : public AgentRegistryTest {
 protected:
    void load_agents(std::size_t count) {
        test_database.in_write([&](db::Session& session) {
            for (std::size_t i = 0; i < count; ++i) {
                clock.advance(1ms);
                AgentRow row;
                row.tenant_id = tenant;
                row.agent_id = AgentId::make(clock.now(), random);
                row.vm_id = VmId::derived_from(row.agent_id);
                row.public_key = std::to_string(i);
                AgentStore{session}.insert(row);
                presence.add(row);
            }
        });
    }
    // How many agents each write of a flush tells vm-registry of.
    std::vector<std::size_t> flush() {
        vms.batches.clear();
        heartbeats.flush(operator_call());
        return vms.batches;
    }
};

TEST_F(FlushTest, a_state_that_met_a_broken_database_is_written_when_it_is_whole_again) {
    const auto agent = enroll();
    beat(agent).value();
    EXPECT_EQ(shown_state(agent), State::online);
    clock.advance(kLateAfter + 1s);
    database.is_broken = true;
    EXPECT_NO_THROW(heartbeats.flush(operator_call()));
    EXPECT_EQ(vms.states[agent.vm_id], State::online);
    database.is_broken = false;
    EXPECT_EQ(shown_state(agent), State::late);
}

TEST_F(FlushTest, many_changes_are_written_in_parts_and_only_the_part_that_failed_again) {
    load_agents(1201);
    vms.refused_batch = 2;
    EXPECT_THAT(flush(), ElementsAre(500, 500, 201));
    EXPECT_EQ(vms.states.size(), 701U);
    vms.refused_batch = 0;
    EXPECT_THAT(flush(), ElementsAre(500));
    EXPECT_EQ(vms.states.size(), 1201U);
    EXPECT_THAT(flush(), ElementsAre());
}

TEST_F(FlushTest, a_module_stops_also_with_a_broken_database) {
    TaskBook tasks{test_database.metrics(), clock};
    AgentRegistryModule module{
        Platform{clock, random, test_database.metrics(), parking, tasks, wakeups}, database,
        Directories{vms, tenants}, Trust{"issuer"},
        Peers::possible
    };
    const auto agent = enroll();
    beat(agent).value();
    heartbeats.flush(operator_call());
    module.start();
    database.is_broken = true;
    clock.advance(kOfflineAfter + 1s);  // so that the last flush has something to write
    EXPECT_NO_THROW(module.stop());
}

TEST_F(FlushTest, agents_are_counted_by_their_state) {
    const auto first = enroll();
    const auto second = enroll("web-2");
    heartbeats.flush(operator_call());
    EXPECT_EQ(presence.count(State::unknown), 2U);
    beat(first).value();
    beat(second, {.executor = "unreachable"}).value();
    heartbeats.flush(operator_call());
    EXPECT_EQ(presence.count(State::unknown), 0U);
    EXPECT_EQ(presence.count(State::online), 1U);
    EXPECT_EQ(presence.count(State::degraded), 1U);
    agents.remove(operator_call(), {first.agent_id}).value();
    EXPECT_EQ(presence.count(State::online), 0U);
}

}  // namespace
}  // namespace synapsex::agent_registry
