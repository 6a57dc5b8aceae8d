#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/services/agent_registry/agents.hpp"
#include "controlplane/services/agent_registry/enrollment.hpp"
#include "controlplane/services/agent_registry/heartbeats.hpp"
#include "controlplane/services/agent_registry/migrations.hpp"
#include "shared/crypto/ed25519.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::agent_registry {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

// What agent-registry asks of vm-registry, kept in memory.
class FakeVmDirectory final : public vm_registry::VmDirectory {
 public:
    Result<Done> create_vm(const Call&, const vm_registry::NewVm& vm) override {
        names.emplace(vm.vm_id, vm.name);
        return Done{};
    }
    Result<Done> delete_vm(const Call&, const TenantId&, const VmId& vm) override {
        names.erase(vm);
        return Done{};
    }
    Result<Done> rename_vm(
        const Call&, const TenantId&, const VmId& vm, std::string_view name
    ) override {
        names[vm] = name;
        return Done{};
    }
    Result<Done> store_samples(
        const Call&, const TenantId&, const VmId&,
        std::span<const vm_registry::TelemetrySample> samples
    ) override {
        if (is_storing_refused) return Problem{Kind::unavailable, "database.busy", "busy"};
        for (const auto& sample : samples) slots.push_back(sample.slot);
        return Done{};
    }
    Result<Done> put_section(
        const Call&, const TenantId&, const VmId&, const vm_registry::Section& section
    ) override {
        hashes[std::string{enum_name(section.name)}] = section.hash;
        return Done{};
    }
    Result<std::map<std::string, std::string>> section_hashes(
        const Call&, const TenantId&, const VmId&
    ) override {
        return hashes;
    }
    Result<Done> set_presence(
        const Call&, std::span<const vm_registry::Presence> changes
    ) override {
        for (const auto& change : changes) states[change.vm_id] = change.state;
        return Done{};
    }
    Timestamp live_until(const VmId&) override { return live; }
    void on_watched(std::function<void(const VmId&)>) override {}
    void set_last_seen_source(LastSeen) override {}

    std::map<VmId, std::string> names;
    std::map<VmId, State> states;
    std::map<std::string, std::string> hashes;
    std::vector<std::int64_t> slots;
    Timestamp live{};
    bool is_storing_refused = false;
};

class AgentRegistryTest : public ::testing::Test {
 protected:
    AgentRegistryTest() { enrollment.set_incarnation("incarnation-1"); }

    Call call_of(const TenantId& tenant_id, const AgentId& agent = {}) {
        Call call = Call::system("test", Deadline::never());
        auto principal = std::make_shared<Principal>(*call.principal);
        principal->tenant = tenant_id;
        principal->agent = agent;
        principal->user = user;
        call.tenant = tenant_id;
        call.principal = std::move(principal);
        return call;
    }
    Call operator_call() { return call_of(tenant); }

    std::string make_token(CreateEnrollmentToken wish = {}) {
        return enrollment.create_token(operator_call(), wish).value().token;
    }
    Enroll wish_of(const std::string& token, const std::string& name = "web-1") {
        const auto key = crypto::Ed25519Key::generate(random);
        return {{token},
                {name},
                {key.public_key_base64url()},
                {"boot-1"},
                {"0.1.0"},
                {"linux"},
                std::nullopt};
    }
    Enrolled enroll(const std::string& name = "web-1") {
        clock.advance(1ms);
        return enrollment.enroll(call_of({}), wish_of(make_token(), name)).value();
    }
    std::string refusal_of(const Enroll& wish) {
        const auto enrolled = enrollment.enroll(call_of({}), wish);
        return enrolled ? "enrolled" : enrolled.error().code;
    }
    Result<api::HeldOr<HeartbeatAnswer>> beat(const Enrolled& agent, Heartbeat heartbeat = {}) {
        heartbeat.agent_id = agent.agent_id;
        return heartbeats.beat(call_of(agent.tenant_id, agent.agent_id), heartbeat);
    }
    State shown_state(const Enrolled& agent) {
        heartbeats.flush(operator_call());
        EXPECT_EQ(
            vms.states[agent.vm_id], agents.get(operator_call(), {agent.agent_id}).value().status
        );
        return vms.states[agent.vm_id];
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{clock, {{"agent-registry-service", kMigrations}}};
    TenantId tenant = TenantId::make(clock.now(), random);
    TenantId stranger = TenantId::make(clock.now(), random);
    UserId user = UserId::make(clock.now(), random);
    FakeVmDirectory vms;
    PresenceBook presence{clock};
    api::ParkingLot parking;
    Enrollment enrollment{{*database, clock, random, vms, presence, "http://127.0.0.1:8080"}};
    Heartbeats heartbeats{{*database, clock, random, database.metrics(), parking, vms, presence,
                           enrollment.incarnation()}};
    Agents agents{{*database, clock, vms, presence}};
};

TEST_F(AgentRegistryTest, every_query_is_understood_by_the_engine) {
    EXPECT_NO_THROW(database->prepare_all(AgentStore::queries()));
}

TEST_F(AgentRegistryTest, a_token_enrolls_one_agent_and_no_second) {
    const auto token = make_token();
    const auto enrolled = enrollment.enroll(call_of({}), wish_of(token)).value();
    EXPECT_EQ(enrolled.tenant_id, tenant);
    EXPECT_EQ(enrolled.vm_id, VmId::derived_from(enrolled.agent_id));
    EXPECT_EQ(enrolled.issuer, "http://127.0.0.1:8080");
    EXPECT_EQ(enrolled.server_incarnation, "incarnation-1");
    EXPECT_EQ(vms.names.at(enrolled.vm_id), "web-1");
    EXPECT_EQ(refusal_of(wish_of(token)), "enrollment.token_used");
}

TEST_F(AgentRegistryTest, a_lost_answer_costs_nothing_because_the_same_key_gets_the_same_agent) {
    const auto token = make_token();
    const auto wish = wish_of(token);
    const auto first = enrollment.enroll(call_of({}), wish).value();
    vms.names.clear();  // as if the server had stopped between its two steps
    clock.advance(2h);
    const auto again = enrollment.enroll(call_of({}), wish).value();
    EXPECT_EQ(again.agent_id, first.agent_id);
    EXPECT_EQ(vms.names.size(), 1U);
    EXPECT_EQ(agents.list(operator_call(), {}).value().value.size(), 1U);
}

TEST_F(AgentRegistryTest, a_token_of_three_uses_enrolls_three) {
    CreateEnrollmentToken wish;
    wish.uses.value.value = 3;
    const auto token = make_token(wish);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(refusal_of(wish_of(token)), "enrolled");
    EXPECT_EQ(refusal_of(wish_of(token)), "enrollment.token_used");
}

TEST_F(AgentRegistryTest, an_expired_revoked_foreign_or_invented_token_is_refused_by_name) {
    const auto expired = make_token();
    clock.advance(1h);
    EXPECT_EQ(refusal_of(wish_of(expired)), "enrollment.token_expired");

    const auto revoked = enrollment.create_token(operator_call(), {}).value();
    enrollment.revoke_token(operator_call(), {revoked.id}).value();
    EXPECT_EQ(refusal_of(wish_of(revoked.token)), "enrollment.token_revoked");

    auto foreign = wish_of(make_token());
    foreign.tenant_id = stranger;
    EXPECT_EQ(refusal_of(foreign), "enrollment.token_of_other_tenant");

    auto forged = make_token();
    forged.back() = forged.back() == 'x' ? 'y' : 'x';
    for (const auto& text : {forged, std::string{"sxe_"}, std::string{"hello"}, forged + "0"})
        EXPECT_EQ(refusal_of(wish_of(text)), "enrollment.token_invalid") << text;

    auto no_key = wish_of(make_token());
    no_key.public_key.value[3] = '*';
    EXPECT_EQ(refusal_of(no_key), "enrollment.key_invalid");
}

TEST_F(AgentRegistryTest, tokens_are_listed_and_revoked_only_in_their_tenant) {
    const auto token = enrollment.create_token(operator_call(), {}).value();
    const auto elsewhere = call_of(stranger);
    EXPECT_TRUE(enrollment.list_tokens(elsewhere, {}).value().items.empty());
    EXPECT_EQ(
        enrollment.revoke_token(elsewhere, {token.id}).error().code, "enrollment_tokens.not_found"
    );
    enrollment.revoke_token(operator_call(), {token.id}).value();
    enrollment.revoke_token(operator_call(), {token.id}).value();
    const auto page = enrollment.list_tokens(operator_call(), {}).value();
    ASSERT_EQ(page.items.size(), 1U);
    EXPECT_EQ(page.items[0].revoked_at, clock.now());
}

TEST_F(AgentRegistryTest, a_heartbeat_is_held_until_its_time_or_news) {
    const auto agent = enroll();
    auto answer = beat(agent, {.hold_seconds = 55}).value();
    auto& held = std::get<api::Held<HeartbeatAnswer>>(answer);
    EXPECT_EQ(held.hold, 55s);
    EXPECT_EQ(shown_state(agent), State::online);
    EXPECT_FALSE(held.ticket->reason());
    heartbeats.wake(agent.agent_id);
    EXPECT_EQ(held.ticket->reason(), api::Wake::news);
    EXPECT_EQ(held.finish(api::Wake::news).value().reason, "news");
}

TEST_F(AgentRegistryTest, a_second_heartbeat_answers_the_first) {
    const auto agent = enroll();
    const auto first = beat(agent, {.hold_seconds = 55}).value();
    const auto second = beat(agent, {.hold_seconds = 3000}).value();
    EXPECT_EQ(
        std::get<api::Held<HeartbeatAnswer>>(first).ticket->reason(), api::Wake::superseded
    );
    EXPECT_FALSE(std::get<api::Held<HeartbeatAnswer>>(second).ticket->reason());
    EXPECT_EQ(std::get<api::Held<HeartbeatAnswer>>(second).hold, kHoldMax);
}

TEST_F(AgentRegistryTest, telemetry_is_acknowledged_only_after_it_is_stored) {
    const auto agent = enroll();
    Heartbeat heartbeat;
    heartbeat.telemetry.resize(2);
    heartbeat.telemetry[0].slot = 100;
    heartbeat.telemetry[1].slot = 101;
    vms.is_storing_refused = true;
    EXPECT_EQ(beat(agent, heartbeat).error().code, "database.busy");
    EXPECT_EQ(parking.size(), 0U);
    vms.is_storing_refused = false;
    const auto answer = std::get<HeartbeatAnswer>(beat(agent, heartbeat).value());
    EXPECT_EQ(answer.stored_through_slot, 101);
    EXPECT_THAT(vms.slots, ElementsAre(100, 101));
}

TEST_F(AgentRegistryTest, sections_with_another_hash_are_asked_for_at_once) {
    const auto agent = enroll();
    Heartbeat heartbeat{.hold_seconds = 55};
    heartbeat.hashes = {{SectionName::os, {"h1"}}, {SectionName::cpu, {"h2"}}};
    vms.hashes = {{"os", "h1"}};
    const auto answer = std::get<HeartbeatAnswer>(beat(agent, heartbeat).value());
    EXPECT_THAT(answer.want_sections, ElementsAre(SectionName::cpu));

    PutInventory put{.agent_id = agent.agent_id, .section = SectionName::cpu, .hash = {"h2"}};
    const auto call = call_of(tenant, agent.agent_id);
    EXPECT_EQ(heartbeats.put_inventory(call, put).error().code, "inventory.section_missing");
    put.cpu.emplace();
    EXPECT_TRUE(heartbeats.put_inventory(call, put));
    EXPECT_TRUE(std::holds_alternative<api::Held<HeartbeatAnswer>>(beat(agent, heartbeat).value()));
}

TEST_F(AgentRegistryTest, an_agent_speaks_for_itself_only) {
    const auto agent = enroll();
    const auto other = enroll("web-2");
    const auto call = call_of(tenant, other.agent_id);
    EXPECT_EQ(
        heartbeats.beat(call, {.agent_id = agent.agent_id}).error().code, "agents.not_found"
    );
    PutInventory put{.agent_id = agent.agent_id, .section = SectionName::cpu, .hash = {"h"}};
    put.cpu.emplace();
    EXPECT_EQ(heartbeats.put_inventory(call, put).error().code, "agents.not_found");
}

TEST_F(AgentRegistryTest, a_watched_vm_is_answered_at_once_with_the_end_of_the_watch) {
    const auto agent = enroll();
    vms.live = clock.now() + 60s;
    const auto answer = std::get<HeartbeatAnswer>(beat(agent, {.hold_seconds = 55}).value());
    EXPECT_EQ(answer.live_until, vms.live);
}

TEST_F(AgentRegistryTest, a_heartbeat_over_a_limit_is_refused) {
    const auto agent = enroll();
    Heartbeat heartbeat;
    heartbeat.agent_version = std::string(65, 'x');
    EXPECT_EQ(beat(agent, heartbeat).error().code, "heartbeat.invalid");
    heartbeat = {};
    heartbeat.capabilities.resize(kCapabilitiesMax + 1);
    EXPECT_EQ(beat(agent, heartbeat).error().code, "heartbeat.invalid");
}

TEST_F(AgentRegistryTest, goodbye_is_offline_and_an_unreachable_executor_degraded) {
    const auto agent = enroll();
    beat(agent, {.executor = "unreachable"}).value();
    EXPECT_EQ(shown_state(agent), State::degraded);
    beat(agent, {.goodbye = "stopping"}).value();
    EXPECT_EQ(shown_state(agent), State::offline);
}

TEST_F(AgentRegistryTest, an_agent_is_renamed_with_its_vm_and_listed_in_pages) {
    const auto agent = enroll();
    enroll("web-2");
    enroll("web-3");
    const auto renamed =
        agents.update(operator_call(), {agent.agent_id, Text<1, 100>{"db-1"}, std::nullopt})
            .value();
    EXPECT_EQ(renamed.name, "db-1");
    EXPECT_EQ(vms.names[agent.vm_id], "db-1");
    ListAgents wish;
    wish.limit.value.value = 2;
    const auto page = agents.list(operator_call(), wish).value();
    EXPECT_EQ(page.value.size(), 2U);
    ASSERT_EQ(page.headers.size(), 1U);
    EXPECT_EQ(page.headers[0].first, "Link");
    EXPECT_TRUE(page.headers[0].second.starts_with("</v1/agents?limit=2&cursor="));
}

TEST_F(AgentRegistryTest, a_removed_agent_is_gone_everywhere_and_its_key_stays_refused) {
    const auto wish = wish_of(make_token());
    const auto agent = enrollment.enroll(call_of({}), wish).value();
    EXPECT_EQ(agents.get_identity(call_of({}), agent.agent_id).value().vm_id, agent.vm_id);
    std::vector<AgentId> told;
    agents.on_removed([&](const AgentId& id) { told.push_back(id); });

    EXPECT_EQ(agents.remove(call_of(stranger), {agent.agent_id}).error().code, "agents.not_found");
    EXPECT_TRUE(agents.remove(operator_call(), {agent.agent_id}).value().success);
    EXPECT_THAT(told, ElementsAre(agent.agent_id));
    EXPECT_TRUE(vms.names.empty());
    EXPECT_EQ(agents.get(operator_call(), {agent.agent_id}).error().code, "agents.not_found");
    EXPECT_EQ(
        agents.get_identity(call_of({}), agent.agent_id).error().code, "auth.agent_revoked"
    );
    EXPECT_EQ(refusal_of(wish), "enrollment.agent_removed");
    const auto unknown = AgentId::make(clock.now(), random);
    EXPECT_EQ(agents.get_identity(call_of({}), unknown).error().code, "auth.unknown_key");
}

}  // namespace
}  // namespace synapsex::agent_registry
