#include "controlplane/platform/context/signed_context.hpp"

#include <algorithm>

#include "controlplane/platform/context/claims.hpp"
#include "controlplane/platform/jws/jws.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::context {

namespace {

// Nothing else that an Ed25519 key of ours signs is of this type.
constexpr std::string_view kType = "synapsex-context+jwt";
constexpr std::size_t kJtiBytes = 16;

// The caller is told as much as the log: who has no key learns nothing by it, and an operator who
// tries with curl reads what to mend.
Problem refused(std::string_view code, std::string detail) {
    return {Kind::unauthenticated, "context." + std::string{code}, std::move(detail)};
}

std::string digest(std::string_view bytes) { return crypto::to_base64url(crypto::sha256(bytes)); }

std::int64_t seconds_of(Timestamp instant) {
    return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

std::string in_quotes(std::string_view text) { return "\"" + std::string{text} + "\""; }

Problem unknown_caller(std::string_view caller) {
    return refused(
        "unknown_caller",
        "No public key of " + in_quotes(caller) + " is known here. Put the line that "
        "\"synapsex-controlplane service-key\" prints on its machine into service-keys/" +
            std::string{caller} + ".pub of this one's data directory and start this one again."
    );
}

bool may_call(std::span<const Edge> edges, std::string_view caller, std::string_view callee) {
    return std::ranges::any_of(edges, [&](const Edge& edge) {
        return edge.caller == caller && edge.callee == callee;
    });
}

}  // namespace

Problem context_missing() {
    return refused(
        "missing",
        "This port serves the other services of its installation, with a signed context in one "
        "field " + std::string{kHeader} + ". Clients call the gateway."
    );
}

Issuer::Issuer(
    std::string service, std::shared_ptr<const crypto::Signer> signer, const Clock& clock,
    Random& random
)
    : service_(std::move(service)), signer_(std::move(signer)), clock_(clock), random_(random) {}

std::string Issuer::issue(
    std::string_view callee, const Call& call, const Target& target, std::string_view body
) const {
    std::string jti(kJtiBytes, '\0');
    random_.fill(std::as_writable_bytes(std::span{jti}));
    const auto now = seconds_of(clock_.now());
    const Claims claims{
        .iss = {service_},
        .aud = {std::string{callee}},
        .iat = {now},
        .exp = {now + kLifetime.count()},
        .jti = {crypto::to_base64url(jti)},
        .method = {std::string{target.method}},
        .target_digest = {digest(target.target)},
        .body_digest = {digest(body)},
        .call = claims_of(call, clock_),
    };
    return jws::sign(*signer_, kType, signer_->key_id(), write_claims(claims));
}

Verifier::Verifier(Parts parts)
    : parts_(std::move(parts)),
      began_at_(seconds_of(parts_.clock.now())),
      seen_(kLifetime + 2 * kSkewMax, parts_.seen_max) {}

Result<Done> Verifier::check_caller(std::string_view caller) const {
    if (may_call(parts_.edges, caller, parts_.service)) return Done{};
    return refused(
        "edge_not_allowed",
        in_quotes(caller) + " is no service that calls " + parts_.service + "."
    );
}

Result<Done> Verifier::check_time(std::int64_t iat, std::int64_t exp) const {
    const auto now = seconds_of(parts_.clock.now());
    const auto skew = kSkewMax.count();
    const std::string clocks = " Its clock and this machine's differ, or it was kept.";
    if (exp - iat > kLifetime.count() || exp <= iat)
        return refused("too_long", "A context is good for 30 s at most.");
    if (now >= exp + skew)
        return refused("expired", "The context ended " + std::to_string(now - exp) + " s ago." +
                                      clocks);
    if (iat > now + skew)
        return refused("not_yet_valid", "The context begins in " + std::to_string(iat - now) +
                                            " s." + clocks);
    // Before this process began another one may have admitted it.
    if (iat < began_at_)
        return refused("before_start", "The context is older than this process. Ask again.");
    return Done{};
}

Result<Verified> Verifier::verify(std::string_view header, const Target& target) const {
    if (header.size() > kContextBytesMax)
        return refused("too_large", "The context is larger than 8 KiB.");
    const auto signed_claims = jws::parse(header);
    if (!signed_claims || signed_claims->typ != kType)
        return refused("malformed", "The context is no JWS of the type " + in_quotes(kType) + ".");
    const auto claims = read_claims(signed_claims->payload);
    if (!claims)
        return refused("malformed", "The context's claims cannot be read: " +
                                        claims.error().detail);
    const auto peer = std::ranges::find(parts_.peers, claims->iss.value, &Peer::service);
    if (peer == parts_.peers.end()) return unknown_caller(claims->iss.value);
    const bool is_genuine = std::ranges::any_of(peer->public_keys, [&](const auto& key) {
        return signed_claims->has_valid_signature(key);
    });
    if (!is_genuine)
        return refused(
            "bad_signature", "None of the public keys of " + peer->service +
                                 " that are known here made the signature; it names the key " +
                                 in_quotes(signed_claims->kid) + "."
        );
    if (claims->aud.value != parts_.service)
        return refused("wrong_audience", "The context is for " + in_quotes(claims->aud.value) +
                                             ", and this is " + parts_.service + ".");
    SYNAPSEX_CHECK(check_caller(peer->service));
    SYNAPSEX_CHECK(check_time(claims->iat, claims->exp));
    if (claims->method.value != target.method)
        return refused(
            "other_method", "The context is for " + in_quotes(claims->method.value) + "."
        );
    if (claims->target_digest.value != digest(target.target))
        return refused("other_target", "The context is for another path or query.");
    return Verified{
        .caller = peer->service,
        .call = call_of(claims->call, parts_.clock),
        .body_digest = claims->body_digest,
        .jti = crypto::from_base64url(claims->jti.value).value_or(std::string{}),
        .is_read = claims->method.value == "GET",
    };
}

Result<Done> Verifier::admit(const Verified& verified, std::string_view body) {
    if (verified.body_digest != digest(body))
        return refused("other_body", "The context is for another body.");
    if (verified.is_read) return Done{};
    switch (seen_.note(verified.jti, parts_.clock.steady_now())) {
    case SeenContexts::Answer::first_time:
        return Done{};
    case SeenContexts::Answer::again:
        return refused("replayed", "The context was used already; each is for one request.");
    case SeenContexts::Answer::full:
        break;
    }
    Problem problem{
        Kind::unavailable, "context.too_many",
        "More changes than " + std::to_string(parts_.seen_max) +
            " within half a minute: no more can be told from repeated ones."
    };
    problem.retry_after = std::chrono::seconds{5};
    return problem;
}

}  // namespace synapsex::context
