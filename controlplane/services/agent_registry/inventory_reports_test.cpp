#include "controlplane/services/agent_registry/inventory_reports.hpp"

#include "controlplane/services/agent_registry/agent_registry_fixture.hpp"

namespace synapsex::agent_registry {
namespace {

using crypto::Ed25519Key;

// Messages with an empty Cpu and an empty Memory.
const std::string kCpu{"\x12\0", 2};
const std::string kMemory{"\x1a\0", 2};

class InventoryReportsTest : public AgentRegistryTest {
 protected:
    Ed25519Key key = Ed25519Key::generate(random);
    Enrolled agent = enroll_with(key);

    PutInventory cpu_by(const Ed25519Key& signer) {
        return sign_section(agent.agent_id, signer, SectionName::cpu, kCpu);
    }
    // The code of the refusal, or nothing.
    std::string put(const PutInventory& wish) {
        const auto taken = inventory.put(call_of(tenant, agent.agent_id), wish);
        return taken ? "" : taken.error().code;
    }
};

TEST_F(InventoryReportsTest, what_is_stored_proves_itself) {
    const auto wish = cpu_by(key);
    EXPECT_EQ(put(wish), "");
    ASSERT_EQ(vms.sections.size(), 1U);
    const auto& stored = vms.sections[0];
    EXPECT_EQ(stored.name, SectionName::cpu);
    EXPECT_TRUE(std::holds_alternative<vm_registry::Cpu>(stored.body));
    EXPECT_EQ(stored.hash, crypto::sha256_hex(kCpu).substr(0, 32));
    EXPECT_EQ(stored.signature.content, kCpu);
    EXPECT_EQ(stored.signature.signed_at, clock.now());
    EXPECT_EQ(stored.signature.public_key, key.public_key());
    EXPECT_EQ(crypto::to_base64url(stored.signature.signature), wish.signature.value);
}

TEST_F(InventoryReportsTest, an_access_token_without_the_key_reports_nothing) {
    const auto stranger_key = Ed25519Key::generate(random);
    EXPECT_EQ(put(cpu_by(stranger_key)), "inventory.signature_invalid");
    auto claims_the_key = cpu_by(stranger_key);
    claims_the_key.key_id.value = key.key_id();
    EXPECT_EQ(put(claims_the_key), "inventory.signature_invalid");
    auto names_another = cpu_by(key);
    names_another.key_id.value = stranger_key.key_id();
    EXPECT_EQ(put(names_another), "inventory.signature_invalid");
    EXPECT_TRUE(vms.sections.empty());
    const auto refused = inventory.put(call_of(tenant, agent.agent_id), cpu_by(stranger_key));
    EXPECT_THAT(refused.error().detail, ::testing::HasSubstr(key.key_id())) << "which it is";
}

TEST_F(InventoryReportsTest, a_signature_is_of_one_agent_section_time_and_content) {
    auto other_section = cpu_by(key);
    other_section.section = SectionName::memory;
    EXPECT_EQ(put(other_section), "inventory.signature_invalid");
    auto other_time = cpu_by(key);
    other_time.signed_at += 1us;
    EXPECT_EQ(put(other_time), "inventory.signature_invalid");
    auto other_content = cpu_by(key);
    other_content.content.value = crypto::to_base64url(kMemory);
    EXPECT_EQ(put(other_content), "inventory.signature_invalid");

    const auto neighbour = enroll("web-2");
    auto of_neighbour = sign_section(neighbour.agent_id, key, SectionName::cpu, kCpu);
    EXPECT_EQ(put(of_neighbour), "agents.not_found");
    of_neighbour.agent_id = agent.agent_id;
    EXPECT_EQ(put(of_neighbour), "inventory.signature_invalid");
    EXPECT_TRUE(vms.sections.empty());
}

TEST_F(InventoryReportsTest, a_key_that_is_registered_signs_too_and_one_that_is_replaced_no_more) {
    const auto next = Ed25519Key::generate(random);
    const auto id = agent.agent_id.text();
    const auto former_id = key.key_id();
    const auto next_key = next.public_key_base64url();
    const auto statement = crypto::statement_of(crypto::KeyChange{
        .agent_id = id,
        .issuer = "http://127.0.0.1:8080",
        .former_key_id = former_id,
        .public_key = next_key,
    });
    EXPECT_EQ(put(cpu_by(next)), "inventory.signature_invalid");
    const PutKey change{
        agent.agent_id,
        {next_key},
        {former_id},
        {crypto::to_base64url(key.sign(statement))},
        {crypto::to_base64url(next.sign(statement))},
    };
    ASSERT_TRUE(keys.put(call_of(tenant, agent.agent_id), change));
    EXPECT_EQ(put(cpu_by(key)), "");
    EXPECT_EQ(put(cpu_by(next)), "");
    ASSERT_TRUE(agents.adopt_next_key(call_of(tenant), agent.agent_id, next.public_key()));
    EXPECT_EQ(put(cpu_by(next)), "");
    EXPECT_EQ(put(cpu_by(key)), "inventory.signature_invalid");
    EXPECT_EQ(vms.sections.back().signature.public_key, next.public_key());
}

TEST_F(InventoryReportsTest, what_was_not_signed_just_now_is_refused) {
    const auto wish = cpu_by(key);
    clock.advance(vm_registry::kSigningSkewMax);
    EXPECT_EQ(put(wish), "");
    clock.advance(1us);
    EXPECT_EQ(put(wish), "inventory.signature_skewed");
    clock.advance(10min);
    const auto early = cpu_by(key);
    clock.jump(-vm_registry::kSigningSkewMax);
    EXPECT_EQ(put(early), "");
    clock.jump(-1us);
    EXPECT_EQ(put(early), "inventory.signature_skewed");
    EXPECT_EQ(vms.sections.size(), 2U);
}

TEST_F(InventoryReportsTest, content_that_is_not_what_it_should_be_is_refused_though_it_is_signed) {
    const auto refusal = [&](const std::string& content) {
        return put(sign_section(agent.agent_id, key, SectionName::cpu, content));
    };
    EXPECT_EQ(refusal(kMemory), "inventory.section_missing");
    EXPECT_EQ(refusal("\xFF\xFF"), "request.malformed");
    EXPECT_EQ(refusal(std::string("\x12\x03\x0a\x01\0", 5)), "request.invalid") << "a NUL";
    auto no_base64 = cpu_by(key);
    no_base64.content.value = "%";
    EXPECT_EQ(put(no_base64), "request.invalid");
    auto no_signature = cpu_by(key);
    no_signature.signature.value = std::string(86, '%');
    EXPECT_EQ(put(no_signature), "request.invalid");
    EXPECT_TRUE(vms.sections.empty());
}

TEST_F(InventoryReportsTest, a_removed_agent_reports_nothing) {
    ASSERT_TRUE(agents.remove(operator_call(), {agent.agent_id}));
    EXPECT_EQ(put(cpu_by(key)), "agents.not_found");
}

}  // namespace
}  // namespace synapsex::agent_registry
