#include "agent/worker/identity_store.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/seeded_random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

class IdentityStoreTest : public ::testing::Test {
 protected:
    synapsex::testing::TemporaryFolder directory_;
    synapsex::testing::SeededRandom random_;
    IdentityStore store_{directory_.path()};
    Identity identity_{
        .agent_id = *AgentId::parse("agt_01hv3x8k2m4n6p8q0r2s4t6v8w"),
        .vm_id = *VmId::parse("vm_01hv3x8k2m4n6p8q0r2s4t6v8w"),
        .tenant_id = *TenantId::parse("ten_01hv3x8k2m4n6p8q0r2s4t6v8w"),
        .url = "https://sx.test",
        .issuer = "https://issuer.test",
        .server_incarnation = "inc-1",
    };
};

TEST_F(IdentityStoreTest, has_no_identity_before_enrollment_and_keeps_it_after) {
    EXPECT_FALSE(*store_.find_identity());
    ASSERT_TRUE(store_.save_identity(identity_));
    EXPECT_EQ(**store_.find_identity(), identity_);
}

TEST_F(IdentityStoreTest, takes_a_damaged_identity_for_a_failure_and_not_for_none) {
    std::ofstream{directory_.path() / "identity.json"} << "{\"agentId\":";
    const auto identity = store_.find_identity();
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().code, "agent.identity_damaged");
}

TEST_F(IdentityStoreTest, keeps_the_trust_root_and_takes_half_a_one_for_damage) {
    identity_.trust_root = std::string(42, 'r') + 'E';
    ASSERT_TRUE(store_.save_identity(identity_));
    EXPECT_EQ(**store_.find_identity(), identity_);
    identity_.trust_root.pop_back();
    ASSERT_TRUE(store_.save_identity(identity_));
    EXPECT_EQ(store_.find_identity().error().code, "agent.identity_damaged");
}

TEST_F(IdentityStoreTest, makes_one_key_and_keeps_it) {
    const auto made = store_.load_or_make_key(random_);
    ASSERT_TRUE(made);
    EXPECT_EQ(store_.load_or_make_key(random_)->public_key(), made->public_key());
}

}  // namespace
}  // namespace synapsex::agent
