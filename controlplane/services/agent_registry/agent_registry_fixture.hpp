#pragma once

// What the tests of agent-registry share: its parts over a database of their own, and a fake of
// vm-registry.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/services/agent_registry/agent_keys.hpp"
#include "controlplane/services/agent_registry/agents.hpp"
#include "controlplane/services/agent_registry/enrollment.hpp"
#include "controlplane/services/agent_registry/heartbeats.hpp"
#include "controlplane/services/agent_registry/inventory_reports.hpp"
#include "controlplane/services/agent_registry/migrations.hpp"
#include "shared/crypto/agent_statements.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"
#include "tests/support/breakable_database.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::agent_registry {

using namespace std::chrono_literals;

// What agent-registry asks of vm-registry, kept in memory.
class FakeVmDirectory final : public vm_registry::VmDirectory {
 public:
    Result<Done> create_vm(const Call&, const vm_registry::NewVm& vm) override {
        if (before_create) std::exchange(before_create, nullptr)();
        if (is_creating_refused) return busy();
        names.emplace(vm.vm_id, vm.name);
        return Done{};
    }
    Result<Done> delete_vm(const Call&, const TenantId&, const VmId& vm) override {
        if (is_deleting_refused) return busy();
        names.erase(vm);
        return Done{};
    }
    Result<Done> rename_vm(
        const Call&, const TenantId&, const VmId& vm, std::string_view name
    ) override {
        names[vm] = name;
        return Done{};
    }
    Result<vm_registry::Taken> store_samples(
        const Call&, const TenantId&, const VmId&,
        std::span<const vm_registry::TelemetrySample> samples
    ) override {
        if (is_storing_refused) return busy();
        if (is_disk_full) return vm_registry::Taken::not_now;
        for (const auto& sample : samples) slots.push_back(sample.slot);
        return vm_registry::Taken::stored;
    }
    Result<Done> put_section(
        const Call&, const TenantId&, const VmId&, const vm_registry::Section& section
    ) override {
        hashes[std::string{enum_name(section.name)}] = section.hash;
        sections.push_back(section);
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
        batches.push_back(changes.size());
        if (batches.size() == refused_batch) return busy();
        for (const auto& change : changes) states[change.vm_id] = change.state;
        return Done{};
    }
    Timestamp live_until(const VmId&) override { return live; }
    void on_watched(std::function<void(const VmId&)>) override {}
    void set_last_seen_source(LastSeen) override {}

    static Problem busy() { return {Kind::unavailable, "database.busy", "busy"}; }

    std::map<VmId, std::string> names;
    std::map<VmId, State> states;
    std::map<std::string, std::string> hashes;
    std::vector<vm_registry::Section> sections;
    std::vector<std::int64_t> slots;
    std::vector<std::size_t> batches;  // sizes of what set_presence was given
    Timestamp live{};
    std::function<void()> before_create;
    std::size_t refused_batch = 0;  // counted from 1
    bool is_creating_refused = false;
    bool is_deleting_refused = false;
    bool is_storing_refused = false;
    bool is_disk_full = false;
};

// What agent-registry asks of tenant-service.
class FakeTenantDirectory final : public tenant::TenantDirectory {
 public:
    Result<Done> create_tenant(
        const Call&, const TenantId&, std::string_view, std::string_view, const UserId&
    ) override {
        return Done{};
    }
    Result<Done> abandon_tenant(const Call&, const TenantId&, const UserId&) override {
        return Done{};
    }
    Result<Done> abandon_memberships(const Call&, const UserId&) override { return Done{}; }
    Result<std::vector<tenant::Membership>> list_memberships(const Call&, const UserId&) override {
        return std::vector<tenant::Membership>{};
    }
    Result<tenant::Membership> get_membership(
        const Call&, const UserId&, std::string_view
    ) override {
        return Problem{Kind::not_found, "tenants.not_found", "No."};
    }
    Result<Standing> get_standing(const Call&, const TenantId&) override {
        if (is_purged) return Problem{Kind::not_found, "tenants.not_found", "No."};
        return standing;
    }
    Result<tenant::TenantLimits> get_limits(const Call&, const TenantId&) override {
        return limits;
    }
    void on_standing_changed(std::function<void(const TenantId&)>) override {}
    void on_member_changed(std::function<void(const TenantId&, const UserId&)>) override {}

    Standing standing{};
    tenant::TenantLimits limits{};  // unlimited
    bool is_purged = false;
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
    Enrolled enroll_with(const crypto::Ed25519Key& key) {
        clock.advance(1ms);
        auto wish = wish_of(make_token());
        wish.public_key = {key.public_key_base64url()};
        return enrollment.enroll(call_of({}), wish).value();
    }
    // As the agent would sign it, now.
    PutInventory sign_section(
        const AgentId& agent, const crypto::Ed25519Key& key, SectionName section,
        const std::string& content
    ) {
        PutInventory wish{
            .agent_id = agent,
            .section = section,
            .content = {crypto::to_base64url(content)},
            .signed_at = clock.now(),
            .key_id = {key.key_id()},
            .signature = {},
        };
        const auto statement = crypto::statement_of(crypto::SectionReport{
            .agent_id = agent.text(),
            .section = enum_name(section),
            .signed_at_us = to_micros(wish.signed_at),
            .content = content,
        });
        wish.signature.value = crypto::to_base64url(key.sign(statement));
        return wish;
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
    testing::TestDatabase test_database{
        clock, {{"outbox", outbox::kMigrations}, {"agent-registry-service", kMigrations}}};
    testing::BreakableDatabase database{*test_database};
    TenantId tenant = TenantId::make(clock.now(), random);
    TenantId stranger = TenantId::make(clock.now(), random);
    UserId user = UserId::make(clock.now(), random);
    FakeVmDirectory vms;
    FakeTenantDirectory tenants;
    PresenceBook presence{clock};
    api::ParkingLot parking;
    wakeups::Board wakeups;
    Enrollment enrollment{
        {database, clock, random, vms, tenants, presence, "http://127.0.0.1:8080"}};
    Heartbeats heartbeats{{database, clock, random, test_database.metrics(), parking, vms,
                           presence, enrollment.incarnation()}};
    InventoryReports inventory{{database, clock, vms}};
    Agents agents{{database, clock, random, vms, presence}};
    AgentKeys keys{{database, clock, random, presence, "http://127.0.0.1:8080"}};
};

}  // namespace synapsex::agent_registry
