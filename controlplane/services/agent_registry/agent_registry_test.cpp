#include <limits>

#include "controlplane/services/agent_registry/agent_registry_fixture.hpp"
#include "shared/crypto/authority.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::agent_registry {
namespace {

using ::testing::ElementsAre;

TEST_F(AgentRegistryTest, every_query_is_understood_by_the_engine) {
    EXPECT_NO_THROW(test_database->prepare_all(AgentStore::queries()));
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

TEST_F(AgentRegistryTest, an_agent_whose_vm_was_made_at_the_second_try_is_visible) {
    const auto wish = wish_of(make_token());
    vms.is_creating_refused = true;
    EXPECT_EQ(refusal_of(wish), "database.busy");
    vms.is_creating_refused = false;
    const auto agent = enrollment.enroll(call_of({}), wish).value();
    beat(agent).value();
    EXPECT_EQ(shown_state(agent), State::online);
}

TEST_F(AgentRegistryTest, enrolling_again_does_not_make_an_agent_unknown) {
    const auto wish = wish_of(make_token());
    const auto agent = enrollment.enroll(call_of({}), wish).value();
    beat(agent).value();
    enrollment.enroll(call_of({}), wish).value();
    EXPECT_EQ(shown_state(agent), State::online);
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

TEST_F(AgentRegistryTest, a_tenant_has_a_thousand_usable_tokens_and_no_more) {
    std::vector<EnrollmentTokenId> made;
    for (std::int64_t i = 0; i < kUsableTokensMax; ++i)
        made.push_back(enrollment.create_token(operator_call(), {}).value().id);
    const auto refused = enrollment.create_token(operator_call(), {});
    EXPECT_EQ(refused.error().kind, Kind::conflict);
    EXPECT_EQ(refused.error().code, "enrollment_tokens.limit_reached");
    EXPECT_TRUE(enrollment.create_token(call_of(stranger), {}));
    enrollment.revoke_token(operator_call(), {made[7]}).value();
    EXPECT_TRUE(enrollment.create_token(operator_call(), {}));
    EXPECT_FALSE(enrollment.create_token(operator_call(), {}));
    clock.advance(1h);
    EXPECT_TRUE(enrollment.create_token(operator_call(), {}));
}

TEST_F(AgentRegistryTest, of_ended_tokens_a_tenant_keeps_the_newest) {
    const auto usable = enrollment.create_token(operator_call(), {}).value().id;
    std::vector<EnrollmentTokenId> ended;
    for (std::int64_t i = 0; i < kEndedTokensKept + 3; ++i) {
        clock.advance(1ms);
        ended.push_back(enrollment.create_token(operator_call(), {}).value().id);
        enrollment.revoke_token(operator_call(), {ended.back()}).value();
    }
    enrollment.create_token(operator_call(), {}).value();
    const auto is_kept = [&](const EnrollmentTokenId& token) {
        return enrollment.revoke_token(operator_call(), {token}).has_value();
    };
    EXPECT_FALSE(is_kept(ended[2]));
    EXPECT_TRUE(is_kept(ended[3]));
    EXPECT_TRUE(is_kept(usable));
}

TEST_F(AgentRegistryTest, tokens_are_pruned_a_while_after_they_expired) {
    const auto used = make_token();
    const auto wish = wish_of(used);
    const auto agent = enrollment.enroll(call_of({}), wish).value();
    CreateEnrollmentToken long_lived;
    long_lived.ttl_seconds.value.value = 30 * 86400;
    make_token(long_lived);
    clock.advance(1h + kExpiredTokensKeptFor);
    EXPECT_EQ(enrollment.prune_tokens(operator_call()), 0);
    EXPECT_EQ(refusal_of(wish), "enrolled");
    clock.advance(1ms);
    EXPECT_EQ(enrollment.prune_tokens(operator_call()), 1);
    EXPECT_EQ(refusal_of(wish), "enrollment.token_invalid");
    EXPECT_EQ(enrollment.list_tokens(operator_call(), {}).value().items.size(), 1U);
    EXPECT_TRUE(agents.get_identity(call_of({}), agent.agent_id));
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

TEST_F(AgentRegistryTest, telemetry_that_has_to_wait_is_not_acknowledged_and_the_rest_is_answered) {
    const auto agent = enroll();
    Heartbeat heartbeat;
    heartbeat.telemetry.resize(1);
    heartbeat.telemetry[0].slot = 100;
    heartbeat.hashes = {{SectionName::os, {"h1"}}};
    vms.is_disk_full = true;
    const auto answer = std::get<HeartbeatAnswer>(beat(agent, heartbeat).value());
    EXPECT_EQ(answer.stored_through_slot, 0);
    EXPECT_THAT(answer.want_sections, ElementsAre(SectionName::os));
    EXPECT_EQ(shown_state(agent), State::online);
    heartbeat.hashes.clear();
    heartbeat.hold_seconds = 55;
    auto second = beat(agent, heartbeat).value();
    auto& held = std::get<api::Held<HeartbeatAnswer>>(second);
    EXPECT_EQ(held.finish(api::Wake::timeout).value().stored_through_slot, 0);
}

TEST_F(AgentRegistryTest, an_agent_whose_telemetry_finds_no_room_lives_all_the_same) {
    const auto agent = enroll();
    Heartbeat heartbeat;
    heartbeat.telemetry.resize(1);
    vms.is_storing_refused = true;
    EXPECT_FALSE(beat(agent, heartbeat));
    EXPECT_EQ(shown_state(agent), State::online);
}

TEST_F(AgentRegistryTest, sections_with_another_hash_are_asked_for_at_once) {
    const auto key = crypto::Ed25519Key::generate(random);
    const auto agent = enroll_with(key);
    const std::string cpu{"\x12\0", 2};
    Heartbeat heartbeat{.hold_seconds = 55};
    heartbeat.hashes = {
        {SectionName::os, {"h1"}}, {SectionName::cpu, {crypto::sha256_hex(cpu).substr(0, 32)}}
    };
    vms.hashes = {{"os", "h1"}};
    const auto answer = std::get<HeartbeatAnswer>(beat(agent, heartbeat).value());
    EXPECT_THAT(answer.want_sections, ElementsAre(SectionName::cpu));

    const auto call = call_of(tenant, agent.agent_id);
    ASSERT_TRUE(inventory.put(call, sign_section(agent.agent_id, key, SectionName::cpu, cpu)));
    EXPECT_TRUE(std::holds_alternative<api::Held<HeartbeatAnswer>>(beat(agent, heartbeat).value()));
}

TEST_F(AgentRegistryTest, an_agent_speaks_for_itself_only) {
    const auto agent = enroll();
    const auto other = enroll("web-2");
    const auto call = call_of(tenant, other.agent_id);
    EXPECT_EQ(
        heartbeats.beat(call, {.agent_id = agent.agent_id}).error().code, "agents.not_found"
    );
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

TEST_F(AgentRegistryTest, a_pause_is_shown_while_it_lasts) {
    const auto agent = enroll();
    const auto shown = [&] {
        heartbeats.flush(operator_call());
        const auto of_list = agents.list(operator_call(), {}).value().value.at(0).pause;
        const auto pause = agents.get(operator_call(), {agent.agent_id}).value().pause;
        EXPECT_EQ(of_list.has_value(), pause.has_value());
        return pause;
    };
    beat(agent).value();
    EXPECT_FALSE(shown());
    Heartbeat heartbeat{.sequence = 1, .capabilities = {1, 6}};
    heartbeat.pause = VmPause{clock.now(), clock.now() + 2h, "disk swap"};
    beat(agent, heartbeat).value();
    auto pause = shown();
    ASSERT_TRUE(pause);
    EXPECT_EQ(pause->since, heartbeat.pause->since);
    EXPECT_EQ(pause->until, heartbeat.pause->until);
    EXPECT_EQ(pause->reason, "disk swap");

    heartbeat.sequence = 2;
    heartbeat.pause = VmPause{};  // the file is damaged there
    beat(agent, heartbeat).value();
    pause = shown();
    ASSERT_TRUE(pause);
    EXPECT_FALSE(pause->since || pause->until);
    EXPECT_EQ(pause->reason, "");

    // A replica of a release that knows no pause hears that it is over.
    test_database.in_write([&](db::Session& session) {
        AgentStore store{session};
        const auto row = store.find(tenant, agent.agent_id).value();
        Sighting sighting{tenant, agent.agent_id, row.state, row.last_seen_at, 3,
                          row.version, "1", row.boot_id, pause_of(row)};
        ASSERT_TRUE(store.put_sighting(sighting, "old", "", true));
    });
    EXPECT_FALSE(shown());
    heartbeat.sequence = 8;
    beat(agent, heartbeat).value();
    EXPECT_TRUE(shown());

    beat(agent, {.sequence = 9, .capabilities = {1}}).value();
    EXPECT_FALSE(shown());
    test_database.in_write([&](db::Session& session) {
        EXPECT_FALSE(pause_of(AgentStore{session}.find(tenant, agent.agent_id).value()));
    });
}

TEST_F(AgentRegistryTest, nobody_falls_silent_for_the_reason_of_a_pause) {
    const auto agent = enroll();
    auto shown = [&, sequence = 0](const std::string& reason) mutable {
        Heartbeat heartbeat{.sequence = ++sequence, .capabilities = {6}};
        heartbeat.pause = VmPause{from_micros(std::numeric_limits<std::int64_t>::min()),
                                  from_micros(std::numeric_limits<std::int64_t>::max()), reason};
        beat(agent, heartbeat).value();
        EXPECT_EQ(shown_state(agent), State::online);
        return agents.get(operator_call(), {agent.agent_id}).value().pause.value().reason;
    };
    EXPECT_EQ(shown(std::string(201, 'x')), std::string(200, 'x'));
    EXPECT_EQ(shown(std::string(199, 'x') + "\u00e9"), std::string(199, 'x')) << "whole characters";
    EXPECT_EQ(shown(std::string{"a\0b\nc\x7F\x1B[2J", 10}), "a b c  [2J");
}

TEST_F(AgentRegistryTest, one_agent_cannot_stop_the_writing_of_all_presence) {
    const auto agent = enroll();
    Heartbeat heartbeat;
    heartbeat.boot_id = std::string{"a\0b", 3};
    const auto refused = beat(agent, heartbeat);
    ASSERT_EQ(refused.error().code, "heartbeat.invalid");
    EXPECT_EQ(refused.error().errors[0].pointer, "/bootId");
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
        agents.update(operator_call(), {agent.agent_id, Name<1, 100>{"db-1"}, std::nullopt})
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

TEST_F(AgentRegistryTest, a_cursor_that_no_list_has_given_is_refused) {
    for (const auto& bad : {std::string{"*"}, std::string{"foo"}, api::encode_cursor("x")}) {
        const api::Cursor cursor{bad};
        const auto page = agents.list(operator_call(), {.cursor = cursor});
        const auto token_page = enrollment.list_tokens(operator_call(), {.cursor = cursor});
        ASSERT_FALSE(page) << bad;
        EXPECT_EQ(page.error().code, "request.cursor_invalid");
        ASSERT_FALSE(token_page) << bad;
        EXPECT_EQ(token_page.error().code, "request.cursor_invalid");
    }
}

TEST_F(AgentRegistryTest, a_removed_agent_is_gone_everywhere_and_its_key_stays_refused) {
    const auto wish = wish_of(make_token());
    const auto agent = enrollment.enroll(call_of({}), wish).value();
    EXPECT_EQ(agents.get_identity(call_of({}), agent.agent_id).value().vm_id, agent.vm_id);
    std::vector<AgentId> told;
    agents.on_doubted([&](const AgentId& id) { told.push_back(id); });

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

TEST_F(AgentRegistryTest, a_removal_that_broke_off_is_finished_by_the_same_call) {
    const auto wish = wish_of(make_token());
    const auto agent = enrollment.enroll(call_of({}), wish).value();
    vms.is_deleting_refused = true;
    EXPECT_EQ(agents.remove(operator_call(), {agent.agent_id}).error().code, "database.busy");
    // Its key is refused already, so nothing makes the VM again.
    EXPECT_EQ(
        agents.get_identity(call_of({}), agent.agent_id).error().code, "auth.agent_revoked"
    );
    EXPECT_EQ(refusal_of(wish), "enrollment.agent_removed");
    vms.is_deleting_refused = false;
    EXPECT_TRUE(agents.remove(operator_call(), {agent.agent_id}));
    EXPECT_TRUE(vms.names.empty());
    EXPECT_TRUE(agents.remove(operator_call(), {agent.agent_id}));
    EXPECT_EQ(agents.remove(call_of(stranger), {agent.agent_id}).error().code, "agents.not_found");
}

TEST_F(AgentRegistryTest, a_removed_agent_is_pruned_long_after_with_what_its_removal_left_behind) {
    const auto wish = wish_of(make_token());
    const auto agent = enrollment.enroll(call_of({}), wish).value();
    const auto other = enroll("web-2");
    vms.is_deleting_refused = true;
    EXPECT_FALSE(agents.remove(operator_call(), {agent.agent_id}));
    clock.advance(kRemovedAgentsKeptFor);
    enrollment.prune_tokens(operator_call());
    EXPECT_EQ(agents.prune_removed(operator_call()).value(), 0);
    clock.advance(1ms);
    EXPECT_EQ(agents.prune_removed(operator_call()).error().code, "database.busy");
    EXPECT_EQ(
        agents.get_identity(call_of({}), agent.agent_id).error().code, "auth.agent_revoked"
    );
    vms.is_deleting_refused = false;
    EXPECT_EQ(agents.prune_removed(operator_call()).value(), 1);
    EXPECT_EQ(agents.get_identity(call_of({}), agent.agent_id).error().code, "auth.unknown_key");
    EXPECT_EQ(refusal_of(wish), "enrollment.token_invalid");
    EXPECT_EQ(vms.names.size(), 1U);
    EXPECT_TRUE(agents.get(operator_call(), {other.agent_id}));
}

TEST_F(AgentRegistryTest, a_removed_agent_stays_as_long_as_its_token) {
    const auto wish = wish_of(make_token());
    const auto agent = enrollment.enroll(call_of({}), wish).value();
    agents.remove(operator_call(), {agent.agent_id}).value();
    clock.advance(kRemovedAgentsKeptFor + 1ms);
    EXPECT_EQ(agents.prune_removed(operator_call()).value(), 0);
    EXPECT_EQ(refusal_of(wish), "enrollment.agent_removed");
    EXPECT_EQ(enrollment.prune_tokens(operator_call()), 1);
    EXPECT_EQ(agents.prune_removed(operator_call()).value(), 1);
}

TEST_F(AgentRegistryTest, an_agent_removed_while_it_enrolls_again_leaves_no_vm_behind) {
    const auto wish = wish_of(make_token());
    const auto agent = enrollment.enroll(call_of({}), wish).value();
    vms.before_create = [&] { agents.remove(operator_call(), {agent.agent_id}).value(); };
    EXPECT_EQ(refusal_of(wish), "enrollment.agent_removed");
    EXPECT_TRUE(vms.names.empty());
    EXPECT_FALSE(presence.contact(agent.agent_id, {}));
    EXPECT_EQ(presence.count(State::unknown), 0U);
}

TEST_F(AgentRegistryTest, proves_the_time_to_who_asks_with_a_nonce) {
    const auto authority = crypto::Authority::make(clock.now());
    const auto prove = [&](std::string_view nonce) {
        return std::optional{authority.prove_time(nonce, clock.now())};
    };
    const Enrollment proving{{database, clock, random, vms, tenants, presence,
                              {.issuer = "", .prove_time = prove}}};
    const auto nonce = std::string(42, 'n') + 'A';
    const auto answer = proving.prove_time({{nonce}}).value();
    EXPECT_EQ(answer.time, clock.now());
    const crypto::TimeProof proof{
        answer.time, crypto::from_base64url(answer.public_key).value(),
        crypto::from_base64url(answer.signature).value()};
    EXPECT_TRUE(crypto::is_proven(proof, nonce, std::vector{authority.pin()}));
    const auto half = std::string(42, 'A') + 'B';
    EXPECT_EQ(proving.prove_time({{half}}).error().code, "agents.nonce_invalid");
    EXPECT_EQ(enrollment.prove_time({{nonce}}).error().code, "agents.no_authority");
}

TEST_F(AgentRegistryTest, a_token_of_a_clock_that_was_ahead_enrolls_nobody) {
    clock.jump(10 * 365 * 24h);
    const auto token = make_token();
    clock.jump(-10 * 365 * 24h);
    EXPECT_EQ(refusal_of(wish_of(token)), "enrollment.token_expired");
}

}  // namespace
}  // namespace synapsex::agent_registry
