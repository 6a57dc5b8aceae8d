#include "controlplane/services/agent_registry/purge.hpp"

#include "controlplane/services/agent_registry/agent_registry_fixture.hpp"

namespace synapsex::agent_registry {
namespace {

using ::testing::UnorderedElementsAre;

class AgentPurgeTest : public AgentRegistryTest {
 protected:
    AgentPurge purge{database, clock, agents};

    std::vector<std::int64_t> counts(const TenantId& of) {
        std::vector<std::int64_t> rows;
        for (const auto& table : purge.count_rows(operator_call(), of).value())
            rows.push_back(table.rows);
        return rows;
    }
};

TEST_F(AgentPurgeTest, removes_agents_and_tokens_of_one_tenant_and_tells_who_trusts_them) {
    const auto first = enroll("web-1");
    const auto second = enroll("web-2");
    const auto removed = enroll("web-3");
    agents.remove(operator_call(), {removed.agent_id}).value();
    enrollment.create_token(call_of(stranger), {}).value();
    std::vector<AgentId> doubted;
    agents.on_doubted([&](const AgentId& agent) { doubted.push_back(agent); });
    EXPECT_EQ(counts(tenant), (std::vector<std::int64_t>{3, 3})) << "removed ones count too";

    purge.remove_rows(operator_call(), tenant).value();
    EXPECT_EQ(counts(tenant), (std::vector<std::int64_t>{0, 0}));
    EXPECT_EQ(counts(stranger), (std::vector<std::int64_t>{0, 1}));
    EXPECT_THAT(doubted, UnorderedElementsAre(first.agent_id, second.agent_id));
    EXPECT_FALSE(presence.last_seen(first.agent_id));
    const auto identity = agents.get_identity(call_of({}), first.agent_id);
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().code, "auth.unknown_key");
    EXPECT_TRUE(purge.remove_rows(operator_call(), tenant)) << "and may be asked again";
}

TEST_F(AgentPurgeTest, more_agents_than_a_batch_go_as_well) {
    const auto token = make_token({.uses = {250}});
    for (int i = 0; i < 250; ++i) {
        clock.advance(1ms);
        enrollment.enroll(call_of({}), wish_of(token, "web-" + std::to_string(i))).value();
    }
    purge.remove_rows(operator_call(), tenant).value();
    EXPECT_EQ(counts(tenant), (std::vector<std::int64_t>{0, 0}));
}

}  // namespace
}  // namespace synapsex::agent_registry
