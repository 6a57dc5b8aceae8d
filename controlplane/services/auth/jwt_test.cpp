#include "controlplane/services/auth/jwt.hpp"

#include <gmock/gmock.h>

#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::auth {
namespace {

using ::testing::ElementsAre;

// RFC 8037, appendix A: the key and a signature made by somebody else.
const auto kRfcSeed = *crypto::from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
const auto kRfcPublic = *crypto::from_base64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");

std::string token_of(std::string_view header, std::string_view claims) {
    return crypto::to_base64url(header) + "." + crypto::to_base64url(claims) + "." +
           crypto::to_base64url(std::string(64, 's'));
}

const std::string kHeader = R"({"alg":"EdDSA"})";

TEST(Jwt, comes_back_as_it_was_signed) {
    testing::SeededRandom random;
    const auto key = crypto::Ed25519Key::generate(random);
    JwtClaims claims;
    claims.iss = "issuer";
    claims.sub = "subject";
    claims.aud = {"a", "b"};
    claims.iat = 1;
    claims.exp = 2;
    claims.nbf = 3;
    claims.jti = "id";
    claims.sid = "session";
    claims.tid = "tenant";
    const auto jwt = parse_jwt(sign_jwt(key, "at+jwt", "kid", claims));
    ASSERT_TRUE(jwt);
    EXPECT_EQ(jwt->alg, "EdDSA");
    EXPECT_EQ(jwt->typ, "at+jwt");
    EXPECT_EQ(jwt->kid, "kid");
    EXPECT_EQ(jwt->claims.iss, "issuer");
    EXPECT_EQ(jwt->claims.sub, "subject");
    EXPECT_THAT(jwt->claims.aud, ElementsAre("a", "b"));
    EXPECT_EQ(jwt->claims.iat, 1);
    EXPECT_EQ(jwt->claims.exp, 2);
    EXPECT_EQ(jwt->claims.nbf, 3);
    EXPECT_EQ(jwt->claims.jti, "id");
    EXPECT_EQ(jwt->claims.sid, "session");
    EXPECT_EQ(jwt->claims.tid, "tenant");
    EXPECT_TRUE(jwt->has_valid_signature(key.public_key()));
    const auto other = crypto::Ed25519Key::generate(random);
    EXPECT_FALSE(jwt->has_valid_signature(other.public_key()));
    EXPECT_FALSE(jwt->has_valid_signature(""));
}

TEST(Jwt, any_changed_character_breaks_it) {
    testing::SeededRandom random;
    const auto key = crypto::Ed25519Key::generate(random);
    JwtClaims claims;
    claims.sub = "subject";
    const auto token = sign_jwt(key, "JWT", "", claims);
    for (std::size_t at = 0; at < token.size(); ++at) {
        auto changed = token;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        const auto jwt = parse_jwt(changed);
        EXPECT_FALSE(jwt && jwt->has_valid_signature(key.public_key())) << at;
    }
}

TEST(Jwt, a_signature_from_rfc_8037_is_valid) {
    const auto text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const auto signature = crypto::from_base64url(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
    Jwt jwt;
    jwt.signed_text = text;
    jwt.signature = *signature;
    EXPECT_TRUE(jwt.has_valid_signature(kRfcPublic));
    EXPECT_EQ(crypto::Ed25519Key::from_seed(kRfcSeed).sign(text), *signature);
}

TEST(Jwt, one_audience_is_a_string_or_a_list) {
    EXPECT_THAT(parse_jwt(token_of(kHeader, R"({"aud":"a"})"))->claims.aud, ElementsAre("a"));
    EXPECT_THAT(parse_jwt(token_of(kHeader, R"({"aud":["a"]})"))->claims.aud, ElementsAre("a"));
}

TEST(Jwt, instants_may_have_fractions_and_are_rounded_down) {
    EXPECT_EQ(parse_jwt(token_of(kHeader, R"({"exp":12.9})"))->claims.exp, 12);
}

TEST(Jwt, claims_that_we_do_not_know_are_ignored) {
    EXPECT_TRUE(parse_jwt(token_of(kHeader, R"({"sub":"a","extra":{"b":[1]}})")));
}

TEST(Jwt, is_refused_with_any_other_algorithm) {
    for (const auto* header :
         {"{}", R"({"alg":"none"})", R"({"alg":"HS256"})", R"({"alg":"eddsa"})",
          R"({"alg":["EdDSA"]})",
          R"({"alg":"EdDSA","crit":["b64"],"b64":false})", R"({"alg":"EdDSA","kid":7})"})
        EXPECT_FALSE(parse_jwt(token_of(header, "{}"))) << header;
}

TEST(Jwt, is_refused_with_members_of_the_wrong_type) {
    for (const auto* claims :
         {"[]", "7", "", "{", R"({"iss":1})", R"({"sub":null})", R"({"aud":1})",
          R"({"aud":["a",1]})",
          R"({"exp":"1"})", R"({"exp":-1})", R"({"exp":1e300})", R"({"iat":253402300800})",
          R"({"nbf":true})", R"({"jti":["a"]})", "{\"sub\":\"\xff\"}"})
        EXPECT_FALSE(parse_jwt(token_of(kHeader, claims))) << claims;
}

TEST(Jwt, is_refused_when_it_is_no_compact_jws) {
    const auto good = token_of(kHeader, "{}");
    ASSERT_TRUE(parse_jwt(good));
    const auto body = good.substr(0, good.rfind('.'));
    for (const auto& bad :
         {std::string{}, std::string{"."}, std::string{".."}, body, body + ".", body + ".c2ln",
          good + ".", good + "=", good + " ", " " + good, good + ".e30"})
        EXPECT_FALSE(parse_jwt(bad)) << bad;
}

TEST(Jwt, is_at_most_4096_bytes) {
    const auto sized = [](std::size_t size) {
        return token_of(kHeader, R"({"x":")" + std::string(size, 'a') + R"("})");
    };
    EXPECT_TRUE(parse_jwt(sized(2900)));
    EXPECT_GT(sized(3000).size(), kJwtBytesMax);
    EXPECT_FALSE(parse_jwt(sized(3000)));
}

TEST(Jwt, is_refused_when_it_nests_deeply) {
    const auto nested = [](std::size_t depth) {
        return token_of(
            kHeader, R"({"x":)" + std::string(depth, '[') + std::string(depth, ']') + "}"
        );
    };
    EXPECT_TRUE(parse_jwt(nested(3)));
    EXPECT_FALSE(parse_jwt(nested(4)));
}

}  // namespace
}  // namespace synapsex::auth
