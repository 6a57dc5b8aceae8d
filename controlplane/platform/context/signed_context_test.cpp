#include "controlplane/platform/context/signed_context.hpp"

#include <gtest/gtest.h>

#include <array>

#include "controlplane/platform/context/claims.hpp"
#include "controlplane/platform/jws/jws.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::context {
namespace {

using namespace std::chrono_literals;

constexpr std::array kEdges{
    Edge{"api-gateway", "tenant-service"},
    Edge{"api-gateway", "auth-service"},
    Edge{"auth-service", "tenant-service"},
};

class SignedContextTest : public ::testing::Test {
 protected:
    // What tenant-service believes; auth-service has two keys, of which one is on its way out.
    Verifier verifier_of(std::string service, std::size_t seen_max = kSeenMax) {
        return Verifier{{
            .service = std::move(service),
            .peers = {
                {"api-gateway", {gateway_key->public_key()}},
                {"auth-service", {former_auth_key->public_key(), auth_key->public_key()}},
                {"billing-service", {billing_key->public_key()}},
            },
            .edges = kEdges,
            .clock = clock,
            .seen_max = seen_max,
        }};
    }
    std::shared_ptr<const crypto::Ed25519Key> make_key() {
        return std::make_shared<const crypto::Ed25519Key>(crypto::Ed25519Key::generate(random));
    }
    std::string issue(std::string_view callee = "tenant-service") {
        return gateway.issue(callee, call, kPost, "body");
    }
    // What the check said: "" for nothing.
    static std::string code_of(const Result<Verified>& outcome) {
        return outcome ? std::string{} : outcome.error().code;
    }
    static std::string code_of(const Result<Done>& outcome) {
        return outcome ? std::string{} : outcome.error().code;
    }
    // A context whose claims were changed and which was signed again.
    std::string changed(const std::function<void(Claims&)>& change) {
        auto claims = read_claims(jws::parse(issue())->payload).value();
        change(claims);
        return jws::sign(*gateway_key, "synapsex-context+jwt", "", write_claims(claims));
    }

    static constexpr Target kPost{"POST", "/v1/tenants?x=1"};

    testing::FakeClock clock;
    testing::SeededRandom random;
    std::shared_ptr<const crypto::Ed25519Key> gateway_key = make_key();
    std::shared_ptr<const crypto::Ed25519Key> auth_key = make_key();
    std::shared_ptr<const crypto::Ed25519Key> former_auth_key = make_key();
    std::shared_ptr<const crypto::Ed25519Key> billing_key = make_key();
    Issuer gateway{"api-gateway", gateway_key, clock, random};
    Verifier tenants = verifier_of("tenant-service");
    Call call = Call::system("req-1", Deadline::never());
};

Principal a_full_principal(const Clock& clock, Random& random) {
    Principal principal{
        .kind = PrincipalKind::api_key,
        .tenant = TenantId::make(clock.now(), random),
        .user = UserId::make(clock.now(), random),
        .agent = AgentId::make(clock.now(), random),
        .credential_id = "key_1",
        .role = auth::Role::operator_,
        .scopes = auth::scopes_of(auth::Role::operator_),
        .standing = {TenantState::suspended, 60},
        .requests_per_minute = 7,
        .signed_in_at = clock.now() - 5min,
        .email = "a@example.com",
        .full_name = "Ada \"\u00e9\"",
    };
    return principal;
}

TEST_F(SignedContextTest, the_whole_call_arrives) {
    const auto principal = a_full_principal(clock, random);
    call.principal = std::make_shared<const Principal>(principal);
    call.tenant = TenantId::make(clock.now(), random);
    call.deadline = Deadline::after(clock, 12s);
    call.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    call.client_address = "192.0.2.1";
    call.argument_digest = std::string(64, 'a');
    const auto verified = tenants.verify(issue(), kPost);
    ASSERT_TRUE(verified) << verified.error().detail;
    EXPECT_TRUE(tenants.admit(*verified, "body"));
    EXPECT_EQ(verified->caller, "api-gateway");
    const auto& arrived = verified->call;
    EXPECT_EQ(arrived.request_id, "req-1");
    EXPECT_EQ(arrived.tenant, call.tenant);
    EXPECT_EQ(arrived.deadline.remaining(clock), 12s);
    EXPECT_EQ(arrived.traceparent, call.traceparent);
    EXPECT_EQ(arrived.client_address, call.client_address);
    EXPECT_EQ(arrived.argument_digest, call.argument_digest);
    EXPECT_EQ(arrived.principal->kind, principal.kind);
    EXPECT_EQ(arrived.principal->tenant, principal.tenant);
    EXPECT_EQ(arrived.principal->user, principal.user);
    EXPECT_EQ(arrived.principal->agent, principal.agent);
    EXPECT_EQ(arrived.principal->credential_id, principal.credential_id);
    EXPECT_EQ(arrived.principal->role, principal.role);
    EXPECT_EQ(arrived.principal->scopes, principal.scopes);
    EXPECT_EQ(arrived.principal->standing.state, principal.standing.state);
    EXPECT_EQ(
        arrived.principal->standing.requests_per_minute, principal.standing.requests_per_minute
    );
    EXPECT_EQ(arrived.principal->requests_per_minute, principal.requests_per_minute);
    EXPECT_EQ(arrived.principal->signed_in_at, principal.signed_in_at);
    EXPECT_EQ(arrived.principal->email, principal.email);
    EXPECT_EQ(arrived.principal->full_name, principal.full_name);
}

TEST_F(SignedContextTest, a_call_of_nobody_and_without_a_deadline_arrives_as_that) {
    call.principal = std::make_shared<const Principal>();
    const auto verified = tenants.verify(issue(), kPost);
    ASSERT_TRUE(verified) << verified.error().detail;
    EXPECT_EQ(verified->call.principal->kind, PrincipalKind::anonymous);
    EXPECT_TRUE(verified->call.tenant.empty());
    EXPECT_TRUE(verified->call.principal->user.empty());
    EXPECT_EQ(verified->call.principal->scopes, auth::ScopeSet{});
    EXPECT_EQ(verified->call.deadline.instant(), Deadline::never().instant());
}

TEST_F(SignedContextTest, the_largest_principal_fits_into_the_limit) {
    auto principal = a_full_principal(clock, random);
    principal.scopes = auth::scopes_of(auth::Role::owner);
    principal.email = std::string(254, 'e');
    for (principal.full_name.clear(); principal.full_name.size() < 800;)
        principal.full_name += "\U0001F600";
    call.principal = std::make_shared<const Principal>(principal);
    call.request_id = std::string(128, 'r');
    const auto text = issue();
    EXPECT_LT(text.size(), kContextBytesMax / 2) << "scopes will be more";
    EXPECT_EQ(code_of(tenants.verify(text, kPost)), "");
}

TEST_F(SignedContextTest, scopes_and_claims_of_a_later_release_are_left_out) {
    call.principal =
        std::make_shared<const Principal>(a_full_principal(clock, random));
    auto payload = jws::parse(issue())->payload;
    payload.replace(payload.find("\"scopes\":["), 10, "\"shape\":1,\"scopes\":[\"moons.read\",");
    const auto text = jws::sign(*gateway_key, "synapsex-context+jwt", "", payload);
    const auto verified = tenants.verify(text, kPost);
    ASSERT_TRUE(verified) << verified.error().detail;
    EXPECT_EQ(verified->call.principal->scopes, auth::scopes_of(auth::Role::operator_));
}

TEST_F(SignedContextTest, what_is_no_context_is_refused) {
    const auto good = issue();
    const auto jwt = jws::sign(*gateway_key, "at+jwt", "", jws::parse(good)->payload);
    for (const auto& bad :
         {std::string{}, std::string{"a.b.c"}, good + "x", good + ", " + good, jwt,
          jws::sign(*gateway_key, "synapsex-context+jwt", "", "{}"),
          jws::sign(*gateway_key, "synapsex-context+jwt", "", "no json")})
        EXPECT_EQ(code_of(tenants.verify(bad, kPost)), "context.malformed") << bad;
    EXPECT_EQ(
        code_of(tenants.verify(std::string(kContextBytesMax + 1, 'a'), kPost)), "context.too_large"
    );
}

TEST_F(SignedContextTest, any_changed_character_is_found) {
    const auto good = issue();
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto bad = good;
        bad[at] = bad[at] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(tenants.verify(bad, kPost)) << at;
    }
}

TEST_F(SignedContextTest, is_of_a_service_whose_key_is_known) {
    const Issuer stranger{"policy-service", gateway_key, clock, random};
    EXPECT_EQ(
        code_of(tenants.verify(stranger.issue("tenant-service", call, kPost, "body"), kPost)),
        "context.unknown_caller"
    );
    // Of one service, signed by another that has a key of its own.
    const Issuer impostor{"api-gateway", auth_key, clock, random};
    EXPECT_EQ(
        code_of(tenants.verify(impostor.issue("tenant-service", call, kPost, "body"), kPost)),
        "context.bad_signature"
    );
    for (const auto& key : {auth_key, former_auth_key}) {
        const Issuer auth{"auth-service", key, clock, random};
        EXPECT_EQ(
            code_of(tenants.verify(auth.issue("tenant-service", call, kPost, "body"), kPost)), ""
        );
    }
}

TEST_F(SignedContextTest, goes_along_an_edge_of_the_table) {
    const Issuer billing{"billing-service", billing_key, clock, random};
    EXPECT_EQ(
        code_of(tenants.verify(billing.issue("tenant-service", call, kPost, "body"), kPost)),
        "context.edge_not_allowed"
    );
    const Issuer auth{"auth-service", auth_key, clock, random};
    auto auth_verifier = verifier_of("auth-service");
    EXPECT_EQ(
        code_of(auth_verifier.verify(auth.issue("auth-service", call, kPost, "body"), kPost)),
        "context.edge_not_allowed"
    );
}

TEST_F(SignedContextTest, is_refused_by_every_other_service) {
    const auto for_auth = issue("auth-service");
    EXPECT_EQ(code_of(tenants.verify(for_auth, kPost)), "context.wrong_audience");
    EXPECT_EQ(code_of(verifier_of("auth-service").verify(for_auth, kPost)), "");
}

TEST_F(SignedContextTest, is_good_for_half_a_minute_and_what_clocks_may_differ) {
    const auto text = issue();
    clock.jump(34s);
    EXPECT_EQ(code_of(tenants.verify(text, kPost)), "");
    clock.jump(1s);
    EXPECT_EQ(code_of(tenants.verify(text, kPost)), "context.expired");
}

TEST_F(SignedContextTest, is_not_of_the_future) {
    clock.jump(5s);
    const auto near_future = issue();
    clock.jump(1s);
    const auto future = issue();
    clock.jump(-6s);
    EXPECT_EQ(code_of(tenants.verify(near_future, kPost)), "");
    EXPECT_EQ(code_of(tenants.verify(future, kPost)), "context.not_yet_valid");
}

TEST_F(SignedContextTest, cannot_be_made_to_last) {
    for (const auto lasts : {31, 0, -1}) {
        const auto text = changed([&](Claims& claims) { claims.exp.value = claims.iat + lasts; });
        EXPECT_EQ(code_of(tenants.verify(text, kPost)), "context.too_long") << lasts;
    }
}

TEST_F(SignedContextTest, is_for_one_method_and_one_target) {
    const auto text = issue();
    EXPECT_EQ(
        code_of(tenants.verify(text, {"DELETE", kPost.target})), "context.other_method"
    );
    for (const auto* target : {"/v1/tenants", "/v1/tenants?x=2", "/v1/tenants?x=1&y=", "/"})
        EXPECT_EQ(code_of(tenants.verify(text, {"POST", target})), "context.other_target")
            << target;
}

TEST_F(SignedContextTest, is_for_one_body) {
    const auto verified = tenants.verify(issue(), kPost).value();
    for (const auto* body : {"", "Body", "body "})
        EXPECT_EQ(code_of(tenants.admit(verified, body)), "context.other_body") << body;
    EXPECT_EQ(code_of(tenants.admit(verified, "body")), "") << "a refused try uses nothing up";
}

TEST_F(SignedContextTest, admits_a_change_once_as_long_as_the_context_is_good) {
    const auto text = issue();
    EXPECT_EQ(code_of(tenants.admit(tenants.verify(text, kPost).value(), "body")), "");
    EXPECT_EQ(
        code_of(tenants.admit(tenants.verify(text, kPost).value(), "body")), "context.replayed"
    );
    clock.advance(34s);
    EXPECT_EQ(
        code_of(tenants.admit(tenants.verify(text, kPost).value(), "body")), "context.replayed"
    );
}

TEST_F(SignedContextTest, a_read_may_be_asked_again) {
    const Target get{"GET", "/v1/tenants"};
    const auto verified = tenants.verify(gateway.issue("tenant-service", call, get, ""), get);
    EXPECT_EQ(code_of(tenants.admit(*verified, "")), "");
    EXPECT_EQ(code_of(tenants.admit(*verified, "")), "");
}

TEST_F(SignedContextTest, a_process_refuses_what_the_one_before_it_may_have_admitted) {
    const auto text = issue();
    clock.advance(1s);
    EXPECT_EQ(code_of(verifier_of("tenant-service").verify(text, kPost)), "context.before_start");
    EXPECT_EQ(code_of(verifier_of("tenant-service").verify(issue(), kPost)), "");
}

TEST_F(SignedContextTest, more_changes_than_can_be_remembered_wait) {
    auto small = verifier_of("tenant-service", 2);
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(code_of(small.admit(small.verify(issue(), kPost).value(), "body")), "");
    const auto third = small.admit(small.verify(issue(), kPost).value(), "body");
    ASSERT_EQ(code_of(third), "context.too_many");
    EXPECT_EQ(third.error().kind, Kind::unavailable);
    EXPECT_TRUE(third.error().retry_after);
}

}  // namespace
}  // namespace synapsex::context
