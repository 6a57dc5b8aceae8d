#include "agent/transport/control_plane.hpp"

#include <charconv>

#include "agent/transport/gzip.hpp"
#include "agent/transport/heartbeat_codec.hpp"
#include "agent/transport/inventory_codec.hpp"
#include "agent/transport/json_codec.hpp"
#include "shared/crypto/agent_statements.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::agent {

namespace {

constexpr std::size_t kAnswerBytesMax = 64 * 1024;
// Smaller bodies gain less than the header costs.
constexpr std::size_t kGzipFromBytes = 1024;
constexpr std::chrono::milliseconds kHoldGrace{15'000};
constexpr std::chrono::seconds kAssertionLife{60};
constexpr std::size_t kTokenIdCharacters = 22;

CallFailure::Kind kind_of(const std::string& code) {
    if (code == net::kTimeout) return CallFailure::Kind::timeout;
    if (code == net::kClosed) return CallFailure::Kind::cut;
    if (code == net::kCanceled) return CallFailure::Kind::canceled;
    return CallFailure::Kind::unreachable;
}

CallFailure failure_of(const Problem& problem) {
    return {.kind = kind_of(problem.code), .code = problem.code, .detail = problem.detail};
}

CallFailure unreadable(std::string detail) {
    return {
        .kind = CallFailure::Kind::unreadable,
        .code = "agent.answer_unreadable",
        .detail = std::move(detail),
    };
}

// Seconds alone. The other form, a date, would need this machine's clock to be right.
std::optional<std::chrono::seconds> parse_retry_after(const std::string* text) {
    if (text == nullptr) return std::nullopt;
    std::int64_t count = 0;
    const auto* end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, count);
    if (read.ec != std::errc{} || read.ptr != end || count < 0) return std::nullopt;
    return std::chrono::seconds{count};
}

CallFailure failure_of(const net::HttpResponse& response) {
    auto problem = read_problem(response.body);
    CallFailure failure{
        .kind = CallFailure::Kind::refused,
        .status = response.status,
        .code = std::move(problem.code),
        .detail = std::move(problem.detail),
    };
    failure.retry_after = parse_retry_after(response.find_header("Retry-After"));
    if (const auto* time = response.find_header("X-Server-Time"))
        failure.server_time = parse_rfc3339(*time);
    return failure;
}

net::HttpRequest with_protobuf(net::HttpRequest request, std::string body) {
    request.headers.push_back({"Content-Type", "application/x-protobuf"});
    if (body.size() > kGzipFromBytes) {
        request.headers.push_back({"Content-Encoding", "gzip"});
        request.body = gzip(body);
    } else {
        request.body = std::move(body);
    }
    return request;
}

net::HttpHeader bearer(const std::string& token) { return {"Authorization", "Bearer " + token}; }

}  // namespace

std::string sign_assertion(
    const AssertionClaims& claims, const crypto::Ed25519Key& key, Random& random
) {
    const auto issued_at =
        std::chrono::floor<std::chrono::seconds>(claims.issued_at).time_since_epoch();
    const auto payload = write_assertion_claims(
        claims.agent_id, claims.issuer, issued_at, issued_at + kAssertionLife,
        random.base62(kTokenIdCharacters)
    );
    std::string text = crypto::to_base64url(R"({"alg":"EdDSA","typ":"JWT"})") + "." +
                       crypto::to_base64url(payload);
    const auto signature = crypto::to_base64url(key.sign(text));
    return text.append(".").append(signature);
}

KeyOffer offer_key(
    const Identity& identity, const crypto::Ed25519Key& former, const crypto::Ed25519Key& next
) {
    KeyOffer offer{
        .public_key = next.public_key_base64url(),
        .former_key_id = former.key_id(),
        .signature = {},
        .proof = {},
    };
    const auto statement = crypto::statement_of(crypto::KeyChange{
        .agent_id = identity.agent_id.text(),
        .issuer = identity.issuer,
        .former_key_id = offer.former_key_id,
        .public_key = offer.public_key,
    });
    offer.signature = crypto::to_base64url(former.sign(statement));
    offer.proof = crypto::to_base64url(next.sign(statement));
    return offer;
}

CallResult<std::string> ControlPlane::call(net::HttpRequest request) {
    request.url.insert(0, url_);
    request.response_bytes_max = kAnswerBytesMax;
    auto response = http_.send(request);
    if (!response) return failure_of(response.error());
    if (response->status < 200 || response->status > 299) return failure_of(*response);
    return std::move(response->body);
}

CallResult<Identity> ControlPlane::enroll(const EnrollmentRequest& wish) {
    net::HttpRequest request{.method = "POST", .url = "/v1/agents/enroll"};
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = write_enrollment(wish);
    const auto body = call(std::move(request));
    if (!body) return body.error();
    auto identity = read_enrolled(*body);
    if (!identity) return unreadable("The answer to the enrollment names no agent.");
    identity->url = url_;
    // A server without an opinion is its own issuer.
    if (identity->issuer.empty()) identity->issuer = url_;
    return *std::move(identity);
}

CallResult<AccessToken> ControlPlane::fetch_token(const std::string& assertion) {
    net::HttpRequest request{.method = "POST", .url = "/v1/auth/token"};
    request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
    // base64url and dots need no escaping in a form.
    request.body =
        "grant_type=client_credentials"
        "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        "&client_assertion=" +
        assertion;
    const auto body = call(std::move(request));
    if (!body) return body.error();
    auto token = read_token(*body);
    if (!token) return unreadable("The answer to the token request holds no token.");
    return *std::move(token);
}

CallResult<HeartbeatAnswer> ControlPlane::send_heartbeat(
    const AgentId& agent, const std::string& token, const Heartbeat& heartbeat
) {
    net::HttpRequest request{
        .method = "POST", .url = "/v1/agents/" + agent.text() + "/heartbeat"
    };
    request.headers.push_back(bearer(token));
    request.timeout = heartbeat.hold + kHoldGrace;
    if (!heartbeat.goodbye.empty()) request.timeout = kGoodbyeTimeout;
    const auto body = call(with_protobuf(std::move(request), encode_heartbeat(heartbeat)));
    if (!body) return body.error();
    auto answer = decode_heartbeat_answer(*body);
    if (!answer) return unreadable("The answer to the heartbeat is not the agreed message.");
    return *std::move(answer);
}

CallResult<Accepted> ControlPlane::put_section(
    const std::string& token, const ReportedSection& report, const crypto::Ed25519Key& key
) {
    net::HttpRequest request{
        .method = "PUT",
        .url = "/v1/agents/" + report.agent_id.text() + "/inventory/" + report.section
    };
    request.headers.push_back(bearer(token));
    const auto answer = call(with_protobuf(std::move(request), encode_signed(report, key)));
    if (!answer) return answer.error();
    return Accepted{};
}

CallResult<Accepted> ControlPlane::put_key(
    const AgentId& agent, const std::string& token, const KeyOffer& offer
) {
    net::HttpRequest request{.method = "PUT", .url = "/v1/agents/" + agent.text() + "/key"};
    request.headers.push_back(bearer(token));
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = write_key_offer(offer);
    const auto answer = call(std::move(request));
    if (!answer) return answer.error();
    return Accepted{};
}

}  // namespace synapsex::agent
