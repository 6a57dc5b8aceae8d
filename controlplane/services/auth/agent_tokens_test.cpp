#include "controlplane/services/auth/agent_tokens.hpp"

#include <functional>
#include <thread>

#include "controlplane/services/auth/auth_fixture.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;

class AgentTokensTest : public AuthFixture {
 protected:
    AgentTokens agent_tokens{*database, agents, tokens, kIssuer, clock};
    crypto::Ed25519Key key = crypto::Ed25519Key::generate(random);
    AgentId agent = AgentId::make(clock.now(), random);
    TenantId tenant = TenantId::make(clock.now(), random);
    int signed_count = 0;

    void SetUp() override {
        agents.identities[agent] = {agent, tenant, VmId::derived_from(agent), key.public_key()};
    }
    std::int64_t seconds() const {
        return std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count();
    }
    using Change = std::function<void(JwtClaims&)>;
    std::string assertion(const Change& change = {}) {
        JwtClaims claims;
        claims.iss = agent.text();
        claims.sub = agent.text();
        claims.aud = {kIssuer};
        claims.iat = seconds();
        claims.exp = seconds() + 60;
        claims.jti = "jti-" + std::to_string(++signed_count);
        if (change) change(claims);
        return sign_jwt(key, "JWT", "", claims);
    }
    Result<AccessToken> exchange(const std::string& text) {
        return agent_tokens.exchange(
            nobody(),
            {"client_credentials", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", {text}}
        );
    }
    void expect_refused(
        const Result<AccessToken>& result,
        const std::string& code,
        Kind kind = Kind::unauthenticated
    ) {
        ASSERT_EQ(code_of(result), code);
        EXPECT_EQ(result.error().kind, kind) << code;
    }
};

TEST_F(AgentTokensTest, an_assertion_gives_a_token_of_the_agent_for_15_minutes) {
    const auto token = exchange(assertion());
    ASSERT_TRUE(token) << code_of(token);
    EXPECT_EQ(token->token_type, "bearer");
    EXPECT_EQ(token->expires_in, 900);
    const auto claims = tokens.verify(token->access_token);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->agent, agent);
    EXPECT_EQ(claims->tenant, tenant);
}

TEST_F(AgentTokensTest, the_next_key_ends_the_former_one_when_it_is_used) {
    const auto former = key;
    const auto next = crypto::Ed25519Key::generate(random);
    agents.identities[agent]->next_public_key = next.public_key();
    EXPECT_TRUE(exchange(assertion())) << "both count";
    EXPECT_EQ(agents.identities[agent]->next_public_key, next.public_key());
    key = next;
    const auto token = exchange(assertion());
    ASSERT_TRUE(token) << code_of(token);
    EXPECT_EQ(tokens.verify(token->access_token)->agent_key, next.key_id());
    EXPECT_EQ(agents.identities[agent]->public_key, next.public_key());
    EXPECT_TRUE(exchange(assertion()));
    key = former;
    expect_refused(exchange(assertion()), "auth.key_replaced");
    key = crypto::Ed25519Key::generate(random);
    expect_refused(exchange(assertion()), "auth.assertion_bad_signature");
}

TEST_F(AgentTokensTest, a_replayed_assertion_does_not_end_a_key) {
    const auto next = crypto::Ed25519Key::generate(random);
    agents.identities[agent]->next_public_key = next.public_key();
    key = next;
    const auto text = assertion();
    ASSERT_TRUE(exchange(text));
    agents.identities[agent]->next_public_key = next.public_key();
    agents.identities[agent]->public_key = std::string(32, 'k');
    expect_refused(exchange(text), "auth.assertion_replayed");
    EXPECT_EQ(agents.identities[agent]->public_key, std::string(32, 'k'));
}

TEST_F(AgentTokensTest, the_audience_may_be_one_of_several) {
    EXPECT_TRUE(exchange(assertion([](JwtClaims& claims) { claims.aud = {"other", kIssuer}; })));
}

TEST_F(AgentTokensTest, only_the_grant_of_rfc_7523_is_taken) {
    const auto text = assertion();
    const std::string type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    expect_refused(
        agent_tokens.exchange(nobody(), {"password", type, {text}}), "auth.unsupported_grant",
        Kind::invalid
    );
    expect_refused(
        agent_tokens.exchange(nobody(), {"client_credentials", "saml", {text}}),
        "auth.unsupported_grant", Kind::invalid
    );
}

TEST_F(AgentTokensTest, what_breaks_a_rule_is_malformed) {
    const auto other = AgentId::make(clock.now(), random).text();
    const Change changes[] = {
        [&](JwtClaims& claims) { claims.iss = other; },
        [](JwtClaims& claims) { claims.sub = claims.iss = "agt_x"; },
        [](JwtClaims& claims) { claims.sub = claims.iss = ""; },
        [](JwtClaims& claims) { claims.aud = {"https://other.example"}; },
        [](JwtClaims& claims) { claims.aud.clear(); },
        [](JwtClaims& claims) { claims.jti.clear(); },
        [](JwtClaims& claims) { claims.jti = std::string(129, 'a'); },
        [](JwtClaims& claims) { claims.jti = "a b"; },
        [](JwtClaims& claims) { claims.jti = std::string("a\0b", 3); },
        [](JwtClaims& claims) { claims.jti = "\xC3\xA9"; },
        [](JwtClaims& claims) { claims.iat.reset(); },
        [](JwtClaims& claims) { claims.exp.reset(); },
        [](JwtClaims& claims) { claims.exp = claims.iat; },
        [](JwtClaims& claims) { claims.exp = *claims.iat + 61; },
    };
    for (const auto& change : changes)
        expect_refused(exchange(assertion(change)), "auth.assertion_malformed", Kind::invalid);
    for (const auto* text : {"", "x", "a.b.c"})
        expect_refused(exchange(text), "auth.assertion_malformed", Kind::invalid);
    EXPECT_EQ(agents.asked, 0) << "nothing is looked up for what cannot be right";
    EXPECT_TRUE(exchange(assertion([](JwtClaims& claims) { claims.jti = std::string(128, '~'); })));
}

TEST_F(AgentTokensTest, a_clock_may_be_wrong_by_60_seconds_and_no_more) {
    const auto shifted = [&](std::int64_t by) {
        return exchange(assertion([&](JwtClaims& claims) {
            *claims.iat += by;
            *claims.exp += by;
        }));
    };
    EXPECT_TRUE(shifted(60));
    EXPECT_TRUE(shifted(-59));
    for (const auto by : {61, -62, 3600, -3600}) {
        const auto refused = shifted(by);
        expect_refused(refused, "auth.assertion_skewed");
        const std::pair<std::string, std::string> now{"X-Server-Time", "2026-01-02T03:04:05Z"};
        EXPECT_THAT(refused.error().headers, ::testing::Contains(now));
    }
}

TEST_F(AgentTokensTest, an_assertion_that_has_expired_says_the_time_too) {
    const auto text = assertion([](JwtClaims& claims) { claims.exp = *claims.iat + 10; });
    clock.advance(10s);
    const auto refused = exchange(text);
    expect_refused(refused, "auth.assertion_expired");
    EXPECT_EQ(refused.error().headers.front().first, "X-Server-Time");
}

TEST_F(AgentTokensTest, an_assertion_for_later_is_skewed) {
    expect_refused(
        exchange(assertion([](JwtClaims& claims) { claims.nbf = *claims.iat + 61; })),
        "auth.assertion_skewed"
    );
}

TEST_F(AgentTokensTest, an_unknown_and_a_revoked_agent_are_told_apart) {
    agents.identities[agent] = std::nullopt;
    expect_refused(exchange(assertion()), "auth.agent_revoked");
    agents.identities.clear();
    expect_refused(exchange(assertion()), "auth.unknown_key");
}

TEST_F(AgentTokensTest, a_signature_of_another_key_is_bad_and_uses_nothing_up) {
    const auto good = std::exchange(key, crypto::Ed25519Key::generate(random));
    const auto change = [](JwtClaims& claims) { claims.jti = "fixed"; };
    expect_refused(exchange(assertion(change)), "auth.assertion_bad_signature");
    key = good;
    EXPECT_TRUE(exchange(assertion(change)));
}

TEST_F(AgentTokensTest, an_assertion_is_taken_once) {
    const auto text = assertion();
    EXPECT_TRUE(exchange(text));
    expect_refused(exchange(text), "auth.assertion_replayed");
    expect_refused(
        exchange(assertion([](JwtClaims& claims) {
            claims.jti = "jti-1";
            claims.exp = *claims.iat + 30;
        })),
        "auth.assertion_replayed"
    );
}

TEST_F(AgentTokensTest, an_assertion_is_remembered_as_long_as_any_clock_would_take_it) {
    const auto text = assertion();
    EXPECT_TRUE(exchange(text));
    clock.advance(119s);
    EXPECT_TRUE(agent_tokens.prune(nobody()));
    const auto is_kept = [&] {
        return in_store([&](AuthStore& store) {
            return !store.insert_assertion(tenant, {agent, "jti-1", clock.now() + 1h});
        });
    };
    EXPECT_TRUE(is_kept());
    clock.advance(1s);
    EXPECT_TRUE(agent_tokens.prune(nobody()));
    EXPECT_FALSE(is_kept());
}

TEST_F(AgentTokensTest, of_many_parallel_uses_one_wins) {
    const auto text = assertion();
    std::vector<std::string> codes(8, "none");
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < codes.size(); ++i) {
        threads.emplace_back([&, i] {
            testing::SeededRandom own{100 + i};
            FakeAgents own_agents;
            own_agents.identities = agents.identities;
            const AccessTokens own_tokens{kIssuer, signing_keys, clock, own};
            AgentTokens replica{*database, own_agents, own_tokens, kIssuer, clock};
            codes[i] = code_of(replica.exchange(
                nobody(),
                {"client_credentials", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                 {text}}
            ));
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(std::ranges::count(codes, ""), 1);
    EXPECT_EQ(std::ranges::count(codes, "auth.assertion_replayed"), 7);
}

}  // namespace
}  // namespace synapsex::auth
