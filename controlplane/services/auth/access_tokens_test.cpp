#include "controlplane/services/auth/access_tokens.hpp"

#include <functional>

#include "controlplane/services/auth/auth_fixture.hpp"
#include "controlplane/services/auth/jwt.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class AccessTokensTest : public ::testing::Test {
 protected:
    testing::FakeClock clock;
    testing::SeededRandom random;
    std::shared_ptr<const crypto::Signer> signer = make_signer();
    AccessTokens tokens{kIssuer, crypto::SigningKeys::of(signer), clock, random};
    TenantId tenant = TenantId::make(clock.now(), random);
    UserId user = UserId::make(clock.now(), random);
    SessionId session = SessionId::make(clock.now(), random);
    AgentId agent = AgentId::make(clock.now(), random);

    std::shared_ptr<const crypto::Signer> make_signer() {
        return std::make_shared<crypto::Ed25519Key>(crypto::Ed25519Key::generate(random));
    }

    // A token of ours with its claims changed, signed with our key.
    std::string forged(
        const std::function<void(JwtClaims&)>& change, std::string_view typ = "at+jwt"
    ) {
        auto claims = parse_jwt(tokens.issue_to_user(tenant, user, session))->claims;
        change(claims);
        return sign_jwt(*signer, typ, signer->key_id(), claims);
    }
};

TEST_F(AccessTokensTest, say_who_it_is_and_hold_for_15_minutes) {
    const auto token = tokens.issue_to_user(tenant, user, session);
    const auto claims = tokens.verify(token);
    ASSERT_TRUE(claims) << code_of(claims);
    EXPECT_EQ(claims->user, user);
    EXPECT_EQ(claims->session, session);
    EXPECT_EQ(claims->tenant, tenant);
    EXPECT_TRUE(claims->agent.empty());
    EXPECT_EQ(claims->expires_at, clock.now() + 900s);
    clock.advance(899s);
    EXPECT_TRUE(tokens.verify(token));
    clock.advance(1s);
    EXPECT_EQ(code_of(tokens.verify(token)), "auth.credential_expired");
}

TEST_F(AccessTokensTest, of_agents_name_the_agent_and_no_session) {
    const auto claims = tokens.verify(tokens.issue_to_agent(tenant, agent, "key-id"));
    ASSERT_TRUE(claims) << code_of(claims);
    EXPECT_EQ(claims->agent, agent);
    EXPECT_EQ(claims->agent_key, "key-id");
    EXPECT_EQ(claims->tenant, tenant);
    EXPECT_TRUE(claims->user.empty());
    EXPECT_TRUE(claims->session.empty());
}

TEST_F(AccessTokensTest, carry_the_claims_that_others_verify) {
    const auto jwt = parse_jwt(tokens.issue_to_user(tenant, user, session));
    EXPECT_EQ(jwt->typ, "at+jwt");
    EXPECT_EQ(jwt->kid, tokens.jwks().keys.front().kid);
    EXPECT_EQ(jwt->claims.iss, kIssuer);
    EXPECT_THAT(jwt->claims.aud, ElementsAre("synapsex"));
    EXPECT_EQ(*jwt->claims.exp - *jwt->claims.iat, 900);
    EXPECT_EQ(jwt->claims.jti.size(), 22U);
    EXPECT_NE(
        tokens.issue_to_agent(tenant, agent, "key"), tokens.issue_to_agent(tenant, agent, "key")
    );
}

TEST_F(AccessTokensTest, are_refused_when_a_claim_is_not_ours) {
    EXPECT_TRUE(tokens.verify(forged([](JwtClaims&) {})));
    const std::function<void(JwtClaims&)> changes[] = {
        [](JwtClaims& claims) { claims.iss = "https://other.example"; },
        [](JwtClaims& claims) { claims.iss.clear(); },
        [](JwtClaims& claims) { claims.aud = {"other"}; },
        [](JwtClaims& claims) { claims.aud.clear(); },
        [](JwtClaims& claims) { claims.exp.reset(); },
        [](JwtClaims& claims) { claims.nbf = *claims.iat + 1; },
        [](JwtClaims& claims) { claims.sub = "usr_x"; },
        [](JwtClaims& claims) { claims.sub = claims.tid; },
        [](JwtClaims& claims) { claims.sid.clear(); },
        [](JwtClaims& claims) { claims.tid.clear(); },
    };
    for (const auto& change : changes)
        EXPECT_EQ(code_of(tokens.verify(forged(change))), "auth.credential_invalid");
}

TEST_F(AccessTokensTest, are_refused_with_another_type_key_id_or_key) {
    const auto claims = parse_jwt(tokens.issue_to_user(tenant, user, session))->claims;
    const auto other = make_signer();
    for (const auto& token :
         {forged([](JwtClaims&) {}, "JWT"), forged([](JwtClaims&) {}, ""),
          sign_jwt(*signer, "at+jwt", "", claims), sign_jwt(*signer, "at+jwt", "other", claims),
          sign_jwt(*other, "at+jwt", other->key_id(), claims),
          sign_jwt(*other, "at+jwt", signer->key_id(), claims), std::string{},
          std::string(5000, 'a')})
        EXPECT_EQ(code_of(tokens.verify(token)), "auth.credential_invalid") << token;
}

TEST_F(AccessTokensTest, end_when_the_clock_that_issued_them_is_set_right) {
    for (const auto ahead : {61s, 86'400s, 10 * 365 * 86'400s}) {
        clock.jump(ahead);
        const auto token = tokens.issue_to_agent(tenant, agent, "key");
        EXPECT_TRUE(tokens.verify(token));
        clock.jump(-ahead);
        EXPECT_EQ(code_of(tokens.verify(token)), "auth.credential_expired");
    }
    clock.jump(60s);
    const auto token = tokens.issue_to_agent(tenant, agent, "key");
    clock.jump(-60s);
    EXPECT_TRUE(tokens.verify(token)) << "of a replica whose clock is a little ahead";
}

TEST_F(AccessTokensTest, are_verified_by_the_published_key) {
    const auto keys = tokens.jwks().keys;
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys[0].x, crypto::to_base64url(signer->public_key()));
    EXPECT_EQ(keys[0].kid.size(), 16U);
}

TEST_F(AccessTokensTest, of_a_replaced_key_hold_as_long_as_it_is_published) {
    const auto old_token = tokens.issue_to_user(tenant, user, session);
    const auto successor = make_signer();
    auto keys = crypto::SigningKeys::of(successor);
    const AccessTokens after_withdrawal{kIssuer, keys, clock, random};
    keys.published.push_back(crypto::public_key_of(*signer));
    const AccessTokens meanwhile{kIssuer, keys, clock, random};

    EXPECT_EQ(meanwhile.jwks().keys.size(), 2U);
    EXPECT_TRUE(meanwhile.verify(old_token));
    const auto fresh_token = meanwhile.issue_to_user(tenant, user, session);
    EXPECT_EQ(parse_jwt(fresh_token)->kid, successor->key_id());
    EXPECT_TRUE(meanwhile.verify(fresh_token));
    EXPECT_EQ(code_of(after_withdrawal.verify(old_token)), "auth.credential_invalid");
    EXPECT_TRUE(after_withdrawal.verify(fresh_token));
}

}  // namespace
}  // namespace synapsex::auth
