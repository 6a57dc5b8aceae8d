#include "controlplane/services/auth/credentials.hpp"

#include "controlplane/services/auth/auth_fixture.hpp"
#include "controlplane/services/auth/secrets.hpp"
#include "shared/crypto/ed25519.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;

class CredentialsTest : public AuthFixture {
 protected:
    Credentials credentials{*database, {tenants, agents}, tokens, cache, clock};

    Result<std::shared_ptr<const Principal>> authenticate(
        const std::string& secret, const std::string& tenant = {}
    ) {
        return credentials.authenticate(nobody(), {secret, tenant});
    }
    bool is_cached(const std::string& secret, const std::string& tenant = {}) {
        return credentials.find_cached({secret, tenant}) != nullptr;
    }
    TenantId joined(const TokenPair& user, const std::string& slug, Role role) {
        const auto id = TenantId::make(clock.now(), random);
        tenants.join(user.user.id, {id, slug, slug, role});
        return id;
    }
    AgentId enrolled(const TenantId& tenant) {
        const auto id = AgentId::make(clock.now(), random);
        agents.identities[id] = {id, tenant, VmId::derived_from(id), std::string(32, 'k')};
        return id;
    }
    std::string token_of(const TenantId& tenant, const AgentId& agent) {
        return tokens.issue_to_agent(
            tenant, agent, crypto::ed25519_key_id(agents.identities[agent]->public_key)
        );
    }
};

using UserTokens = CredentialsTest;
using AgentCredentials = CredentialsTest;

TEST_F(UserTokens, act_in_the_tenant_that_the_user_joined_first) {
    const auto pair = registered("ada@example.com");
    joined(pair, "other", Role::viewer);
    const auto principal = authenticate(pair.access_token);
    ASSERT_TRUE(principal) << code_of(principal);
    EXPECT_EQ((*principal)->kind, PrincipalKind::user);
    EXPECT_EQ((*principal)->user, pair.user.id);
    EXPECT_EQ((*principal)->tenant, pair.user.tenant_id);
    EXPECT_EQ((*principal)->role, Role::owner);
    EXPECT_EQ((*principal)->email, "ada@example.com");
    EXPECT_TRUE((*principal)->credential_id.starts_with("ses_"));
    EXPECT_EQ((*principal)->signed_in_at, clock.now());
}

TEST_F(UserTokens, say_when_a_password_was_given_last_which_a_refresh_is_not) {
    const auto pair = registered("ada@example.com");
    const auto signed_in_at = clock.now();
    clock.advance(1h);
    const auto next = refreshed(pair.refresh_token).value();
    EXPECT_EQ(authenticate(next.access_token).value()->signed_in_at, signed_in_at);
    auto call = nobody();
    call.principal = authenticate(next.access_token).value();
    call.tenant = call.principal->tenant;
    EXPECT_TRUE(service.change_password(call, {{kPassword}, {"another and long password"}}));
    EXPECT_FALSE(is_cached(next.access_token)) << "it counts at once";
    EXPECT_EQ(authenticate(next.access_token).value()->signed_in_at, clock.now());
}

TEST_F(UserTokens, end_with_their_session_though_they_are_remembered) {
    const auto pair = registered("ada@example.com");
    auto call = nobody();
    call.principal = authenticate(pair.access_token).value();
    call.tenant = call.principal->tenant;
    ASSERT_TRUE(is_cached(pair.access_token));
    EXPECT_TRUE(service.sessions().end_current(call));
    EXPECT_FALSE(is_cached(pair.access_token));
    EXPECT_EQ(code_of(authenticate(pair.access_token)), "auth.credential_revoked");
}

TEST_F(UserTokens, act_in_another_tenant_of_the_user_by_id_or_slug) {
    const auto pair = registered("ada@example.com");
    const auto other = joined(pair, "other", Role::viewer);
    for (const auto& choice : {std::string{"other"}, other.text()}) {
        const auto principal = authenticate(pair.access_token, choice);
        ASSERT_TRUE(principal) << choice;
        EXPECT_EQ((*principal)->tenant, other);
        EXPECT_EQ((*principal)->role, Role::viewer);
    }
}

TEST_F(UserTokens, bring_the_standing_of_the_tenant_that_they_act_in) {
    const auto pair = registered("ada@example.com");
    const auto other = joined(pair, "other", Role::viewer);
    tenants.places.back().membership.standing = {TenantState::suspended, 42, "unpaid", {}};
    EXPECT_EQ((*authenticate(pair.access_token))->standing.state, TenantState::active);
    const auto principal = *authenticate(pair.access_token, "other");
    EXPECT_EQ(principal->standing.state, TenantState::suspended);
    EXPECT_EQ(principal->standing.requests_per_minute, 42);
    EXPECT_EQ(principal->standing.reason, "unpaid");
    cache.forget_tenant(other);
    EXPECT_FALSE(is_cached(pair.access_token, "other"));
    EXPECT_TRUE(is_cached(pair.access_token));
}

TEST_F(UserTokens, find_no_tenant_that_is_not_the_users) {
    const auto ada = registered("ada@example.com");
    const auto eve = registered("eve@example.com");
    const auto refused = authenticate(ada.access_token, eve.user.tenant_id.text());
    EXPECT_EQ(code_of(refused), "tenants.not_found");
    EXPECT_EQ(refused.error().kind, Kind::not_found);
    EXPECT_EQ(code_of(authenticate(ada.access_token, "nowhere")), "tenants.not_found");
}

TEST_F(UserTokens, are_revoked_where_the_user_has_left_the_tenant) {
    const auto pair = registered("ada@example.com");
    tenants.places.clear();
    EXPECT_EQ(code_of(authenticate(pair.access_token)), "auth.credential_revoked");
}

TEST_F(UserTokens, end_with_their_session) {
    const auto pair = registered("ada@example.com");
    in_store([&](AuthStore& store) { store.end_sessions(pair.user.id); });
    EXPECT_EQ(code_of(authenticate(pair.access_token)), "auth.credential_revoked");
}

TEST_F(UserTokens, are_remembered_for_5_seconds_per_choice_of_tenant) {
    const auto pair = registered("ada@example.com");
    EXPECT_FALSE(is_cached(pair.access_token));
    const auto principal = authenticate(pair.access_token).value();
    EXPECT_EQ(credentials.find_cached({pair.access_token, ""}), principal);
    EXPECT_FALSE(is_cached(pair.access_token, "other"));
    clock.advance(5s - 1us);
    EXPECT_TRUE(is_cached(pair.access_token));
    clock.advance(1us);
    EXPECT_FALSE(is_cached(pair.access_token));
}

TEST_F(UserTokens, are_never_remembered_past_their_end) {
    const auto pair = registered("ada@example.com");
    clock.advance(898s);
    EXPECT_TRUE(authenticate(pair.access_token));
    clock.advance(2s);
    EXPECT_FALSE(is_cached(pair.access_token));
    EXPECT_EQ(code_of(authenticate(pair.access_token)), "auth.credential_expired");
}

TEST_F(UserTokens, show_a_new_role_after_the_cache_has_gone) {
    const auto pair = registered("ada@example.com");
    EXPECT_EQ(authenticate(pair.access_token).value()->role, Role::owner);
    tenants.places[0].membership.role = Role::viewer;
    clock.advance(5s);
    EXPECT_EQ(authenticate(pair.access_token).value()->role, Role::viewer);
}

TEST_F(UserTokens, what_is_no_credential_is_refused_and_not_remembered) {
    for (const auto& bad : {std::string{}, std::string{"x"}, std::string{"a.b.c"},
                            std::string{"rt_sx_abc"}, std::string(10'000, 'a')}) {
        EXPECT_EQ(code_of(authenticate(bad)), "auth.credential_invalid") << bad.substr(0, 20);
        EXPECT_FALSE(is_cached(bad));
    }
    EXPECT_EQ(cache.size(), 0U);
}

class KeyCredentials : public CredentialsTest {
 protected:
    TokenPair ada;
    CreatedApiKey key;

    void SetUp() override {
        ada = registered("ada@example.com");
        key = service.create_key(call_of(ada), {{"ci"}, {}}).value();
    }
    std::optional<Timestamp> last_used_at() {
        return service.list_keys(call_of(ada), {})->items.at(0).last_used_at;
    }
};

TEST_F(KeyCredentials, act_as_their_user_in_their_tenant) {
    const auto principal = authenticate(key.key);
    ASSERT_TRUE(principal) << code_of(principal);
    EXPECT_EQ((*principal)->kind, PrincipalKind::api_key);
    EXPECT_EQ((*principal)->user, ada.user.id);
    EXPECT_EQ((*principal)->tenant, ada.user.tenant_id);
    EXPECT_EQ((*principal)->role, Role::owner);
    EXPECT_EQ((*principal)->credential_id, key.id.text());
}

TEST_F(KeyCredentials, bring_the_standing_of_their_tenant) {
    tenants.places.back().membership.standing = {TenantState::active, 300, {}, {}};
    EXPECT_EQ((*authenticate(key.key))->standing.requests_per_minute, 300);
}

TEST_F(KeyCredentials, take_their_own_tenant_as_a_choice_and_no_other) {
    joined(ada, "other", Role::owner);
    EXPECT_TRUE(authenticate(key.key, ada.user.tenant_id.text()));
    EXPECT_TRUE(authenticate(key.key, tenants.places[0].membership.slug));
    const auto refused = authenticate(key.key, "other");
    EXPECT_EQ(code_of(refused), "tenants.not_found");
    EXPECT_EQ(refused.error().kind, Kind::not_found);
}

TEST_F(KeyCredentials, with_a_wrong_checksum_are_refused_without_a_look_up) {
    auto typo = key.key;
    typo.back() = typo.back() == '0' ? '1' : '0';
    const auto asked = tenants.asked;
    EXPECT_EQ(code_of(authenticate(typo)), "auth.credential_invalid");
    EXPECT_EQ(tenants.asked, asked);
}

TEST_F(KeyCredentials, that_do_not_exist_are_invalid) {
    EXPECT_EQ(code_of(authenticate(make_api_key(random))), "auth.credential_invalid");
}

TEST_F(KeyCredentials, are_revoked_at_once_though_they_were_remembered) {
    EXPECT_TRUE(authenticate(key.key));
    EXPECT_TRUE(is_cached(key.key));
    EXPECT_TRUE(service.revoke_key(call_of(ada), key.id));
    EXPECT_FALSE(is_cached(key.key));
    EXPECT_EQ(code_of(authenticate(key.key)), "auth.credential_revoked");
}

TEST_F(KeyCredentials, fall_silent_when_their_user_leaves_the_tenant) {
    tenants.leave(ada.user.id, ada.user.tenant_id);
    EXPECT_EQ(code_of(authenticate(key.key)), "auth.credential_revoked");
}

TEST_F(KeyCredentials, do_not_come_back_with_their_user) {
    auto membership = tenants.places[0].membership;
    tenants.leave(ada.user.id, ada.user.tenant_id);
    clock.advance(1s);
    membership.joined_at = clock.now();
    tenants.join(ada.user.id, membership);
    EXPECT_EQ(code_of(authenticate(key.key)), "auth.credential_revoked");
    const auto newer = service.create_key(call_of(ada), {{"ci again"}, {}}).value();
    EXPECT_TRUE(authenticate(newer.key));
}

TEST_F(KeyCredentials, say_in_which_minute_they_were_last_used) {
    EXPECT_TRUE(authenticate(key.key));
    EXPECT_FALSE(last_used_at()) << "no request writes";
    EXPECT_TRUE(credentials.key_usage().flush(nobody()));
    EXPECT_EQ(last_used_at(), std::chrono::floor<std::chrono::minutes>(clock.now()));
    clock.advance(1min);
    EXPECT_TRUE(credentials.key_usage().flush(nobody()));
    EXPECT_LT(*last_used_at(), std::chrono::floor<std::chrono::minutes>(clock.now()));
    EXPECT_TRUE(authenticate(key.key));
    EXPECT_TRUE(credentials.key_usage().flush(nobody()));
    EXPECT_EQ(last_used_at(), std::chrono::floor<std::chrono::minutes>(clock.now()));
}

TEST_F(KeyCredentials, whose_use_could_not_be_written_is_written_later) {
    EXPECT_TRUE(authenticate(key.key));
    auto late = nobody();
    late.deadline = Deadline::at(clock.steady_now() - 1s);
    EXPECT_FALSE(credentials.key_usage().flush(late));
    EXPECT_TRUE(credentials.key_usage().flush(nobody()));
    EXPECT_TRUE(last_used_at());
}

TEST_F(AgentCredentials, act_in_the_tenant_of_the_agent_for_5_seconds_from_memory) {
    const auto tenant = TenantId::make(clock.now(), random);
    const auto agent = enrolled(tenant);
    const auto token = token_of(tenant, agent);
    const auto principal = authenticate(token);
    ASSERT_TRUE(principal) << code_of(principal);
    EXPECT_EQ((*principal)->kind, PrincipalKind::agent);
    EXPECT_EQ((*principal)->agent, agent);
    EXPECT_EQ((*principal)->tenant, tenant);
    EXPECT_TRUE((*principal)->user.empty());
    clock.advance(5s - 1us);
    EXPECT_TRUE(is_cached(token));
    clock.advance(1us);
    EXPECT_FALSE(is_cached(token));
}

TEST_F(AgentCredentials, bring_the_standing_of_their_tenant_and_end_with_it) {
    const auto tenant = TenantId::make(clock.now(), random);
    const auto token = token_of(tenant, enrolled(tenant));
    tenants.standing = {TenantState::pending_deletion, 300, {}, clock.now()};
    EXPECT_EQ((*authenticate(token))->standing.state, TenantState::pending_deletion);
    cache.forget_tenant(tenant);
    EXPECT_FALSE(is_cached(token));
    tenants.is_purged = true;
    EXPECT_EQ(code_of(authenticate(token)), "auth.credential_revoked");
}

TEST_F(AgentCredentials, age_from_when_they_were_asked_about) {
    const auto tenant = TenantId::make(clock.now(), random);
    const auto token = token_of(tenant, enrolled(tenant));
    // The process is stopped before it has the answer; the agent may be removed meanwhile.
    agents.while_asked = [&] { clock.advance(5s); };
    EXPECT_TRUE(authenticate(token));
    EXPECT_FALSE(is_cached(token));
}

TEST_F(AgentCredentials, are_never_remembered_past_their_end) {
    const auto tenant = TenantId::make(clock.now(), random);
    const auto token = token_of(tenant, enrolled(tenant));
    clock.advance(870s);
    EXPECT_TRUE(authenticate(token));
    clock.advance(30s);
    EXPECT_FALSE(is_cached(token));
    EXPECT_EQ(code_of(authenticate(token)), "auth.credential_expired");
}

TEST_F(AgentCredentials, end_at_once_when_the_agent_is_forgotten_and_revoked) {
    const auto tenant = TenantId::make(clock.now(), random);
    const auto agent = enrolled(tenant);
    const auto token = token_of(tenant, agent);
    EXPECT_TRUE(authenticate(token));
    agents.identities[agent] = std::nullopt;
    EXPECT_TRUE(is_cached(token));
    cache.forget_agent(agent);
    EXPECT_FALSE(is_cached(token));
    EXPECT_EQ(code_of(authenticate(token)), "auth.agent_revoked");
}

TEST_F(AgentCredentials, end_with_the_key_that_bought_them) {
    const auto tenant = TenantId::make(clock.now(), random);
    const auto agent = enrolled(tenant);
    auto& identity = *agents.identities[agent];
    const auto former = token_of(tenant, agent);
    const auto of_no_key = tokens.issue_to_agent(tenant, agent, "");
    identity.next_public_key = std::string(32, 'n');
    const auto next =
        tokens.issue_to_agent(tenant, agent, crypto::ed25519_key_id(identity.next_public_key));
    for (const auto& token : {former, of_no_key, next}) EXPECT_TRUE(authenticate(token));
    agents.adopted_at = clock.now();
    ASSERT_TRUE(agents.adopt_next_key(nobody(), agent, identity.next_public_key));
    cache.forget_agent(agent);
    EXPECT_EQ(code_of(authenticate(former)), "auth.credential_revoked");
    EXPECT_EQ(code_of(authenticate(of_no_key)), "auth.credential_revoked");
    EXPECT_TRUE(authenticate(next));
    clock.advance(1s);
    EXPECT_TRUE(authenticate(tokens.issue_to_agent(tenant, agent, "")))
        << "the release before says no key, and has just checked it";
}

TEST_F(AgentCredentials, of_a_key_whose_time_is_over_are_revoked) {
    const auto tenant = TenantId::make(clock.now(), random);
    const auto agent = enrolled(tenant);
    auto& identity = *agents.identities[agent];
    const auto former = token_of(tenant, agent);
    identity.next_public_key = std::string(32, 'n');
    identity.former_public_key = std::exchange(identity.public_key, "");
    EXPECT_EQ(code_of(authenticate(former)), "auth.credential_revoked");
    EXPECT_EQ(
        code_of(authenticate(tokens.issue_to_agent(tenant, agent, ""))), "auth.credential_revoked"
    );
}

TEST_F(AgentCredentials, find_no_other_tenant) {
    const auto tenant = TenantId::make(clock.now(), random);
    const auto token = token_of(tenant, enrolled(tenant));
    EXPECT_TRUE(authenticate(token, tenant.text()));
    const auto other = TenantId::make(clock.now(), random);
    EXPECT_EQ(code_of(authenticate(token, other.text())), "tenants.not_found");
}

TEST_F(AgentCredentials, of_an_agent_that_is_elsewhere_now_are_revoked) {
    const auto tenant = TenantId::make(clock.now(), random);
    const auto agent = enrolled(TenantId::make(clock.now(), random));
    EXPECT_EQ(
        code_of(authenticate(token_of(tenant, agent))), "auth.credential_revoked"
    );
}

}  // namespace
}  // namespace synapsex::auth
